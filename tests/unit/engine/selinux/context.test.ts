/** SELinux contexts, `label=` words and levels: docker's and podman's rules. */
import { describe, expect, test } from "@jest/globals";
import {
  freeLevel,
  type LabelRequest,
  labelsFor,
  parseContext,
  parseLabelOptions,
  sharedLabel,
} from "../../../../src/engine/selinux/context.js";
import { homesIn } from "../../../../src/engine/selinux/kept-folders.js";
import { lxcContexts } from "../../../../src/engine/selinux/policy.js";

const contexts = {
  process: "system_u:system_r:container_t:s0",
  file: "system_u:object_r:container_file_t:s0",
  readOnlyFile: "system_u:object_r:container_ro_file_t:s0",
};
const request: LabelRequest = {
  container: "web",
  options: [],
  contexts,
  isOpen: false,
  joined: [],
  level: (base) => `${base}:c1,c2`,
};
const labels = (given: Partial<LabelRequest>) => {
  const { process, mount } = labelsFor({ ...request, ...given });
  return [process, mount];
};

test("contexts of four and of three parts; nothing that could end a mount option", () => {
  expect(parseContext("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023")).toEqual({
    user: "unconfined_u",
    role: "unconfined_r",
    type: "unconfined_t",
    level: "s0-s0:c0.c1023",
  });
  expect(parseContext("u:r:t")?.level).toBe("");
  for (const text of ["kernel", "u:r", 'u:r:t"', "u:r:t,ro", 'u:r:t:s0"', "u:r:t:s0 x", "u::t:s0"])
    expect(parseContext(text)).toBeUndefined();
  expect(sharedLabel("system_u:object_r:container_file_t:s0:c1,c2")).toBe(contexts.file);
});

describe("labels of a container", () => {
  test("a level of its own, the same for processes and files", () => {
    expect(labels({})).toEqual([`${contexts.process}:c1,c2`, `${contexts.file}:c1,c2`]);
    expect(
      labels({ contexts: { ...contexts, process: "u:r:container_t", file: "u:r:container_file_t" }, level: () => "" }),
    ).toEqual(["u:r:container_t", "u:r:container_file_t"]);
  });
  test("none when privileged or with the host's processes; what is asked for comes first", () => {
    const open = ["", "system_u:object_r:container_file_t:s0:c1022,c1023"];
    expect(labels({ isOpen: true })).toEqual(open);
    expect(labels({ options: ["disable"] })).toEqual(open);
    expect(labels({ isOpen: true, options: ["type:spc_t"] })[0]).toBe("system_u:system_r:spc_t:s0:c1,c2");
  });
  test.each([
    ["type:logreader_t", "system_u:system_r:logreader_t:s0:c1,c2", `${contexts.file}:c1,c2`],
    [
      "level:s0:c100,c200",
      "system_u:system_r:container_t:s0:c100,c200",
      "system_u:object_r:container_file_t:s0:c100,c200",
    ],
    ["level:s0", contexts.process, contexts.file],
    ["user:staff_u", "staff_u:system_r:container_t:s0:c1,c2", "staff_u:object_r:container_file_t:s0:c1,c2"],
    ["role:staff_r", "system_u:staff_r:container_t:s0:c1,c2", `${contexts.file}:c1,c2`],
    ["filetype:usr_t", `${contexts.process}:c1,c2`, "system_u:object_r:usr_t:s0:c1,c2"],
  ])("label=%s", (word, process, mount) => {
    expect(labels({ options: [word] })).toEqual([process, mount]);
  });
  test("what joins another's processes or IPC has its label; two different ones are refused", () => {
    const joined = "system_u:system_r:container_t:s0:c7,c8";
    expect(labels({ joined: [joined, joined] })).toEqual([joined, `${contexts.file}:c7,c8`]);
    expect(labels({ joined: [joined], options: ["level:s0:c3,c4"] })[0]).toBe(`${contexts.process}:c3,c4`);
    expect(labels({ joined: [""] })[0]).toBe(`${contexts.process}:c1,c2`);
    expect(() => labels({ joined: [joined, `${contexts.process}:c1,c9`] })).toThrow("different SELinux labels");
  });
  test.each(["nested", "", "type:", "type:a,b", 'level:s0",ro', "kind:x", "type:a:b", "user:root x"])(
    "label=%s is refused",
    (word) => {
      expect(() => parseLabelOptions("web", [word])).toThrow(`container web: label=${word} cannot be had`);
    },
  );
});

test("levels: a pair of categories that nobody has, never the unconfined one", () => {
  const draws = [5, 5, 1023, 1022, 9, 3, 4, 8];
  const draw = () => draws.shift() ?? 0;
  expect(freeLevel("s0-s0:c0.c1023", new Set(["s0:c3,c9"]), draw)).toBe("s0:c4,c8");
  expect(freeLevel("", new Set(), draw)).toBe("");
  expect(() => freeLevel("s0", new Set(), () => 1)).toThrow("no pair of SELinux categories is free");
});

test("homes of people, not of services", () => {
  const passwd = [
    "root:x:0:0:root:/root:/bin/bash",
    "www-data:x:33:33::/var/www:/usr/sbin/nologin",
    "ada:x:1000:1000:Ada,,,:/srv/people/ada:/bin/bash",
    "bot:x:1001:1001::/opt/bot:/usr/sbin/nologin",
    "odd:x:1002:1002::/:/bin/sh",
    "odder:x:1003:1003::home:/bin/sh",
    "nobody:x:65534:65534::/nonexistent:/bin/sh",
    "",
    "+::::::",
  ];
  expect(homesIn(passwd.join("\n"))).toEqual(["/srv/people/ada"]);
});

test("lxc_contexts: with quotes, without, and what is usual for what it does not say", () => {
  expect(lxcContexts('# x\nprocess = "a:b:c:s0"\nfile=d:e:f:s0\nro_file = "x:y:z:s0"\n')).toEqual({
    process: "a:b:c:s0",
    file: "d:e:f:s0",
    readOnlyFile: "x:y:z:s0",
  });
  expect(lxcContexts("")).toEqual(contexts);
});
