/** AppArmor on a kernel that has it, as root and as an ordinary user. Slow: `npm run guest`. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { GUEST_TIMEOUT_MS, missingGuest, type Played, playInGuest } from "./guest.js";

const missing = missingGuest();
if (missing !== undefined) console.warn(`tests/guest is skipped: ${missing}`);
const withGuest = missing === undefined ? describe : describe.skip;

withGuest("AppArmor in a guest", () => {
  let played = new Map<string, Played>();
  const out = (name: string): string => played.get(name)?.out ?? "not played";
  const code = (name: string): number => played.get(name)?.code ?? -1;
  beforeAll(async () => {
    played = await playInGuest("apparmor.sh", "lsm=landlock,lockdown,yama,integrity,apparmor,bpf");
  }, GUEST_TIMEOUT_MS);

  test("the guest has it, and layers are stacked by its kernel's older mount API", () => {
    expect(out("enabled")).toBe("Y");
    expect(out("image")).not.toContain("copies whole layers");
  });
  test("containers get the default profile in enforce mode, loaded by the first one", () => {
    expect(out("doctor before")).toContain(
      "ok        security module: AppArmor: tscompose-default, loaded with the first",
    );
    expect(out("default")).toBe("tscompose-default (enforce)");
    expect(out("loaded")).toBe("tscompose-default (enforce)");
    expect(out("doctor after")).toContain("ok        security module: AppArmor: tscompose-default (");
  });
  test("services, exec and build steps have it", () => {
    expect(code("up")).toBe(0);
    expect(out("compose a")).toMatch(/^(tscompose-default \(enforce\)\n){2}mount: .*(denied|permitted)/);
    expect(out("compose b")).toBe("unconfined");
    expect(out("exec privileged")).toBe("unconfined");
    expect(out("inspect")).toContain('"AppArmorProfile": "tscompose-default"');
    expect(code("build")).toBe(0);
  });
  test("unconfined, privileged, another profile", () => {
    expect([out("unconfined"), out("privileged")]).toEqual(["unconfined", "unconfined"]);
    expect(out("named")).toBe("mine (enforce)\ncat: can't open '/secret': Permission denied");
    expect(out("named, privileged")).toBe("mine (enforce)");
  });
  test("a profile that is not loaded is refused; one that only complains is told", () => {
    expect(code("missing")).toBe(125);
    expect(out("missing")).toContain('AppArmor profile "nobody-has-this" is not loaded');
    expect(out("named, complains")).toContain('AppArmor profile "mine" is in complain mode: it denies nothing');
  });
  test("what docker's own denies is denied, with every capability and without seccomp and masks", () => {
    const lines = out("denied").split("\n");
    expect(lines.filter((line) => /denied|can't find|Read-only|No such file/.test(line))).toHaveLength(10);
    expect(out("not denied without")).toMatch(/^mounted/);
    expect(out("ptrace and signals across").match(/denied/g)?.length).toBeGreaterThanOrEqual(2);
    expect(code("outside lives")).toBe(0);
  });
  test("what programs do all day is not", () => {
    expect(out("allowed")).toBe("a\nkilled\nnet 0\nproc");
    expect(code("host kills")).toBe(0);
  });
  test("the profile is loaded again when it is gone, changed or only complains, and not without need", () => {
    for (const name of ["removed", "changed", "complains", "stays without the parser"])
      expect(out(name)).toMatch(/^tscompose-default \(enforce\)/);
    expect(out("changed")).toMatch(/mount: .*(denied|permitted)/);
    expect(out("complains")).toMatch(/mount: .*(denied|permitted)/);
    expect(code("cannot be loaded")).toBe(125);
    expect(out("cannot be loaded")).toContain('AppArmor profile "tscompose-default" cannot be loaded');
  });
  test("an ordinary user's containers get none, which is told", () => {
    expect(out("user default")).toBe("unconfined");
    expect([code("user asks"), code("user unconfined")]).toEqual([125, 0]);
    expect(out("user asks")).toContain('AppArmor profile "mine" cannot be had');
    expect(out("user doctor")).toContain("security module: AppArmor, whose profiles only root's containers get");
  });
});
