/** SELinux on a kernel that has it, with Debian 13's policy, enforcing. Slow: `npm run guest`. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { GUEST_TIMEOUT_MS, missingGuest, type Played, playInGuest } from "./guest.js";

const missing = missingGuest();
if (missing !== undefined) console.warn(`tests/guest is skipped: ${missing}`);
const withGuest = missing === undefined ? describe : describe.skip;

const PROCESS = /system_u:system_r:container_t:s0:c\d+,c\d+/;
const FILE = /system_u:object_r:container_file_t:s0:c\d+,c\d+/;

withGuest("SELinux in a guest", () => {
  let played = new Map<string, Played>();
  const out = (name: string): string => played.get(name)?.out ?? "not played";
  const code = (name: string): number => played.get(name)?.code ?? -1;
  const levelIn = (text: string): string | undefined => /s0:(c\d+,c\d+)/.exec(text)?.[1];
  beforeAll(async () => {
    played = await playInGuest("selinux.sh", "lsm=landlock,lockdown,yama,integrity,selinux,bpf");
  }, GUEST_TIMEOUT_MS);

  test("doctor: before a policy, permissive, enforcing", () => {
    expect(out("before a policy")).toContain("security module: none");
    expect(out("permissive")).toContain("SELinux, permissive: container_t, but nothing is denied");
    expect(out("context")).toContain("Enforcing");
    expect(out("doctor")).toContain("ok        security module: SELinux: container_t, each container with categories");
  });
  test("processes and files have one level, which is the container's own", () => {
    expect(out("default")).toMatch(PROCESS);
    expect(out("default")).toMatch(FILE);
    expect(out("default")).toContain("usable");
    expect(new Set(out("default").match(/s0:c\d+,c\d+/g)).size).toBe(1);
    expect(levelIn(out("default"))).not.toBe(levelIn(out("a")));
    const [before, after] = out("restart").split("\n");
    expect(before).toMatch(PROCESS);
    expect(after).toBe(before);
  });
  test("label=, privileged", () => {
    for (const name of ["disable", "privileged", "h"]) expect(out(name)).not.toContain("container_t");
    expect(out("disable")).toContain("usable");
    expect(out("type")).toContain("system_u:system_r:spc_t:s0:c100,c200");
    expect([code("unknown type"), code("injection")]).toEqual([125, 125]);
    expect(out("unknown type")).toContain("the SELinux policy does not know system_u:system_r:nobody_has_this_t");
  });
  test("z and Z: for all, for one; folders of the host are refused", () => {
    expect(out("z")).toContain("hello");
    expect(out("Z")).toContain("hello");
    const [plain, z, zFile, priv, privFile] = out("labels of the three").split(/\n+/);
    expect(plain).not.toContain("container");
    expect([z, zFile]).toEqual(Array(2).fill("system_u:object_r:container_file_t:s0"));
    expect(levelIn(priv ?? "")).toBe(levelIn(out("Z")));
    expect(privFile).toBe(priv);
    expect(code("refused")).toBe(125);
    expect(out("refused")).toContain("SELinux relabeling of /etc is not allowed");
  });
  test("what is not its own is denied", () => {
    for (const name of ["plain is denied", "Z of another is denied", "of another is denied"]) {
      expect(code(name)).not.toBe(0);
      expect(out(name)).toContain("denied");
      expect(out(name)).not.toContain("hello");
    }
  });
  test("volumes, secrets, configs, tmpfs and /dev/shm can be used", () => {
    expect(out("volume").match(/system_u:object_r:container_file_t:s0/g)?.length).toBeGreaterThanOrEqual(1);
    expect([code("volume"), code("up"), code("a"), code("c")]).toEqual([0, 0, 0, 0]);
    expect(out("a")).toContain("secret\n");
    expect(out("a").match(new RegExp(FILE, "g"))?.length).toBe(3);
    expect(out("c")).toContain("config\n");
    expect(out("copy")).toMatch(FILE);
  });
  test("who joins processes and IPC has the label of the other", () => {
    expect(levelIn(out("b"))).toBe(levelIn(out("a")));
    expect(out("b")).toContain("y\nsignals");
    expect(out("inspect")).toMatch(new RegExp(`"ProcessLabel": "${PROCESS.source}"`));
    expect(out("inspect")).toMatch(new RegExp(`"MountLabel": "${FILE.source}"`));
  });
  test("runc applies the same, also to what is copied and after a restart", () => {
    expect(out("runc")).toMatch(PROCESS);
    expect(out("runc")).toMatch(FILE);
    expect(out("runc")).toContain("usable");
    expect(out("runc, plain is denied")).not.toContain("hello");
    expect([code("runc"), code("runc up"), code("runc copy"), code("runc down")]).toEqual([0, 0, 0, 0]);
    expect(out("runc copy")).toContain("copied\n");
    expect(out("runc copy")).toMatch(FILE);
    const [before, after] = out("runc restart").split("\n");
    expect(before).toMatch(PROCESS);
    expect(after).toBe(before);
  });
  test("an ordinary user's containers are labelled, and keep apart", () => {
    expect(out("user doctor")).toContain("SELinux: container_t, each container with categories");
    expect(out("user default")).toMatch(PROCESS);
    expect(out("user default")).toMatch(FILE);
    expect(out("user default")).toContain("usable");
    expect(out("user binds")).toContain("hello\nwritten");
    expect(out("user binds").match(/hello/g)?.length).toBe(1);
    expect(out("user volume")).toContain("system_u:object_r:container_file_t:s0");
    expect([code("user volume"), code("user up"), code("user copy"), code("user down")]).toEqual([0, 0, 0, 0]);
    expect(out("user copy")).toMatch(FILE);
    const [before, after] = out("user restart").split("\n");
    expect(before).toMatch(PROCESS);
    expect(after).toBe(before);
  });
  test("build steps are labelled, and can use what they mount and what they make", () => {
    expect([code("build"), code("built")]).toEqual([0, 0]);
    expect(out("build")).toMatch(PROCESS);
    expect(out("build")).toContain("FROM-CONTEXT");
    expect(out("built")).toMatch(/^made\n/);
    expect(out("built").match(/No such file/g)?.length).toBe(2);
  });
});
