import { describe, expect, test } from "@jest/globals";
import { chooseSeccomp, parseSeccompProfile } from "../../../../src/engine/runtime/oci/seccomp.js";
import { DEFAULT_SECCOMP } from "../../../../src/engine/runtime/oci/seccomp-default.js";

const facts = (caps: string[] = [], kernelVersion: [number, number] = [6, 1]) => ({
  architecture: "amd64",
  bounding: new Set(caps),
  kernelVersion,
});
/** Actions of the rules without argument conditions that name a call. */
const actions = (name: string, caps: string[] = []) =>
  chooseSeccomp(DEFAULT_SECCOMP, facts(caps))
    .syscalls.filter((rule) => rule.names.includes(name) && rule.args === undefined)
    .map((rule) => `${rule.action}${rule.errnoRet === undefined ? "" : ` ${rule.errnoRet}`}`);

describe("built-in profile", () => {
  test("ordinary calls are allowed, guarded ones need their capability", () => {
    expect(actions("openat")).toEqual(["SCMP_ACT_ALLOW"]);
    expect(actions("mount")).toEqual(["SCMP_ACT_ERRNO 1"]);
    expect(actions("mount", ["CAP_SYS_ADMIN"])).toEqual(["SCMP_ACT_ALLOW"]);
    expect(actions("chroot", ["CAP_SYS_CHROOT"])).toEqual(["SCMP_ACT_ALLOW"]);
    expect(actions("keyctl", ["CAP_SYS_ADMIN"])).toEqual(["SCMP_ACT_ERRNO 1"]);
    expect(actions("io_uring_setup")).toEqual(["SCMP_ACT_ERRNO 1"]);
  });
  test("clone3 looks unimplemented without SYS_ADMIN, so that libc uses clone", () => {
    expect(actions("clone3")).toEqual(["SCMP_ACT_ERRNO 38"]);
    expect(actions("clone3", ["CAP_SYS_ADMIN"])).toEqual(["SCMP_ACT_ALLOW"]);
  });
  test("no call is both allowed and refused for any of the usual capability sets", () => {
    for (const caps of [[], ["CAP_SYS_ADMIN"], ["CAP_SYS_PTRACE"], ["CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYSLOG"]]) {
      const seen = new Map<string, string>();
      for (const rule of chooseSeccomp(DEFAULT_SECCOMP, facts(caps)).syscalls) {
        if (rule.args !== undefined) continue;
        for (const name of rule.names) {
          expect([name, seen.get(name) ?? rule.action]).toEqual([name, rule.action]);
          seen.set(name, rule.action);
        }
      }
    }
  });
  test("unknown calls look unimplemented", () => {
    expect(chooseSeccomp(DEFAULT_SECCOMP, facts())).toMatchObject({
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 38,
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    });
  });
});

describe("a named profile", () => {
  const profile = parseSeccompProfile(
    JSON.stringify({
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrno: "ENOSYS",
      archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: null }],
      syscalls: [
        { name: "read", action: "SCMP_ACT_ALLOW", args: [], comment: "old form" },
        { names: ["a"], action: "SCMP_ACT_ERRNO", errno: "EPERM", errnoRet: 5 },
        { names: ["b"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "6.2" } },
        { names: ["c"], action: "SCMP_ACT_ALLOW", excludes: { arches: ["amd64"] } },
        { names: ["d"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_BPF", "CAP_PERFMON"] } },
      ],
    }),
    "x.json",
  );
  test("conditions are resolved and dropped", () => {
    expect(chooseSeccomp(profile, facts(["CAP_BPF"]))).toEqual({
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 38,
      architectures: ["SCMP_ARCH_X86_64"],
      syscalls: [
        { names: ["read"], action: "SCMP_ACT_ALLOW" },
        { names: ["a"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
      ],
    });
  });
  test("rubbish is refused by name", () => {
    expect(() => parseSeccompProfile("{", "x.json")).toThrow("x.json is not JSON");
    expect(() => parseSeccompProfile("{}", "x.json")).toThrow("has no defaultAction");
  });
});
