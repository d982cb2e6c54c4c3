import { describe, expect, test } from "@jest/globals";
import type { SecurityFinding } from "../../../../src/engine/api.js";
import { DEFAULT_APPARMOR_TEXT, loadedProfiles } from "../../../../src/engine/runtime/oci/apparmor.js";
import { CAPABILITIES } from "../../../../src/engine/runtime/oci/capabilities.js";
import { holesOf } from "../../../../src/engine/runtime/security/advice.js";
import { judge, type SecurityFacts } from "../../../../src/engine/runtime/security/report.js";

const facts: SecurityFacts = {
  host: {
    rootless: false,
    singleId: false,
    userIds: [{ inside: 0, outside: 0, length: 4294967295 }],
    cgroups: {
      version: "v2",
      parent: "/tscompose",
      controllers: new Set(["memory", "pids"]),
      hierarchies: ["/sys/fs/cgroup"],
      reason: "",
      hasSwap: true,
      filtersDevices: true,
    },
    apparmor: true,
    selinux: undefined,
    boundingCaps: new Set(CAPABILITIES),
  },
  knobs: new Map([
    ["kernel.kptr_restrict", "1"],
    ["kernel.yama.ptrace_scope", "0"],
    ["net.ipv4.conf.all.route_localnet", "1"],
    ["net.ipv4.ip_unprivileged_port_start", "1024"],
    ["kernel.unprivileged_userns_clone", undefined],
  ]),
  seccompActions: ["kill_process", "errno"],
  hasAppArmor: true,
  defaultProfileLoaded: false,
  hasAppArmorParser: true,
  runtimes: [{ name: "runc", version: "1.3.6", seccomp: true }],
};
const state = (given: SecurityFacts) => Object.fromEntries(judge(given).map(({ name, state }) => [name, state]));

describe("doctor --security", () => {
  test("a host that gives everything, but for a few settings of the kernel", () => {
    expect(state(facts)).toMatchObject({
      seccomp: "ok",
      "device filter": "ok",
      "pids limit": "ok",
      "resource limits": "ok",
      "security module": "ok",
      "user namespace": "advice",
      runc: "ok",
      "kernel.kptr_restrict": "ok",
      "kernel.yama.ptrace_scope": "advice",
      "net.ipv4.conf.all.route_localnet": "advice",
      "net.ipv4.ip_unprivileged_port_start": "ok",
    });
    expect(state(facts)).not.toHaveProperty("kernel.unprivileged_userns_clone");
  });
  test("a host that gives nothing: what is missing has its reason and what to do", () => {
    const cgroups = {
      ...facts.host.cgroups,
      parent: undefined,
      controllers: new Set<string>(),
      reason: "/sys/fs/cgroup is not writable",
      filtersDevices: false,
    };
    const bare = {
      ...facts,
      host: { ...facts.host, cgroups, apparmor: false },
      seccompActions: [],
      runtimes: [{ name: "crun", version: "1.8.1", seccomp: false }],
    };
    const missing = judge(bare).filter((finding) => finding.state === "missing");
    expect(missing.map(({ name }) => name)).toEqual(["seccomp", "device filter", "pids limit", "resource limits"]);
    expect(missing.every(({ advice }) => advice !== undefined)).toBe(true);
    expect(missing[1]?.value).toBe("no: /sys/fs/cgroup is not writable");
    expect(state({ ...bare, host: { ...bare.host, rootless: true } })["device filter"]).toBe("ok");
    expect(state({ ...facts, runtimes: bare.runtimes }).seccomp).toBe("missing");
  });
  test("the security module: what containers get of it, and why they get nothing", () => {
    const module = (host: Partial<SecurityFacts["host"]>, rest: Partial<SecurityFacts> = {}) => {
      const { state, value, advice } = judge({ ...facts, ...rest, host: { ...facts.host, ...host } }).find(
        ({ name }) => name === "security module",
      ) as SecurityFinding;
      return [state, value, ...(advice === undefined ? [] : [advice])];
    };
    const policy = {
      process: "system_u:system_r:container_t:s0",
      file: "system_u:object_r:container_file_t:s0",
      readOnlyFile: "system_u:object_r:container_ro_file_t:s0",
      isEnforcing: true,
    };
    expect(module({})).toEqual(["ok", "AppArmor: tscompose-default, loaded with the first container"]);
    expect(module({}, { defaultProfileLoaded: true })).toEqual(["ok", "AppArmor: tscompose-default"]);
    expect(module({}, { hasAppArmorParser: false })).toEqual([
      "advice",
      "AppArmor, without apparmor_parser: containers are refused",
      "apt-get install apparmor",
    ]);
    expect(module({ apparmor: false, rootless: true })[1]).toBe("AppArmor, whose profiles only root's containers get");
    expect(module({ apparmor: false })[1]).toContain("interface is not mounted");
    expect(module({ apparmor: false }, { hasAppArmor: false })[1]).toBe("none");
    expect(module({ selinux: policy })).toEqual([
      "ok",
      "SELinux: container_t, each container with categories of its own",
    ]);
    expect(module({ selinux: { ...policy, isEnforcing: false } }).slice(0, 2)).toEqual([
      "advice",
      "SELinux, permissive: container_t, but nothing is denied",
    ]);
    expect(module({ selinux: { ...policy, lacks: "the policy default does not know x" } }).slice(0, 2)).toEqual([
      "advice",
      "SELinux, but containers get no label: the policy default does not know x",
    ]);
  });
  test("runtimes are judged by series", () => {
    const ids = (program: string, version: string) => holesOf(program, version).map(({ id }) => id.slice(0, 14));
    expect(ids("runc", "1.1.5+ds1")).toEqual(["CVE-2024-21626", "CVE-2024-45310", "CVE-2025-31133", "CVE-2026-41579"]);
    expect(ids("runc", "1.2.8")).toEqual(["CVE-2026-41579"]);
    expect(ids("runc", "1.3.2")).toEqual(["CVE-2025-31133", "CVE-2026-41579"]);
    expect(ids("runc", "1.4.0")).toEqual([]);
    expect(ids("crun", "1.8.1")).toEqual(["CVE-2025-24965"]);
    expect(ids("crun", "1.20")).toEqual([]);
  });
});

test("AppArmor's list of loaded profiles, and our own profile's name in its text", () => {
  expect([...loadedProfiles("tscompose-default (enforce)\n/usr/bin/man (complain)\nodd name (kill)\n")]).toEqual([
    ["tscompose-default", "enforce"],
    ["/usr/bin/man", "complain"],
    ["odd name", "kill"],
  ]);
  expect(DEFAULT_APPARMOR_TEXT).toContain("profile tscompose-default ");
});
