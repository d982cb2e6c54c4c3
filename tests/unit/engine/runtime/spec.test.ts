import { describe, expect, test } from "@jest/globals";
import type { HostFacts } from "../../../../src/engine/runtime/host.js";
import { CAPABILITIES } from "../../../../src/engine/runtime/oci/capabilities.js";
import { DEFAULT_SECCOMP } from "../../../../src/engine/runtime/oci/seccomp-default.js";
import { ociConfig, ociJson, type SpecInput } from "../../../../src/engine/runtime/oci/spec.js";
import type { ContainerSpec } from "../../../../src/engine/types.js";

const host: HostFacts = {
  rootless: false,
  singleId: false,
  userIds: [{ inside: 0, outside: 0, length: 4294967295 }],
  cgroups: {
    version: "v2",
    parent: "/tscompose",
    controllers: new Set(["memory", "cpu", "pids", "io", "cpuset"]),
    hierarchies: ["/sys/fs/cgroup"],
    reason: "",
    hasSwap: true,
    filtersDevices: true,
  },
  boundingCaps: new Set(CAPABILITIES),
  hardLimits: new Map([
    ["RLIMIT_NOFILE", 1000],
    ["RLIMIT_CORE", Number.POSITIVE_INFINITY],
  ]),
  oomScoreAdj: 0,
  apparmor: false,
  selinux: undefined,
  architecture: "amd64",
  kernelVersion: [6, 1],
  hasTtyGroup: true,
};
const noCgroups: HostFacts = {
  ...host,
  rootless: true,
  hasTtyGroup: false,
  boundingCaps: new Set(CAPABILITIES.filter((name) => name !== "CAP_SYS_RESOURCE")),
  cgroups: {
    ...host.cgroups,
    parent: undefined,
    controllers: new Set(),
    reason: "no cgroup is delegated",
    filtersDevices: false,
  },
};

function make(spec: Partial<ContainerSpec>, facts: HostFacts = host, more: Partial<SpecInput> = {}) {
  const warnings: string[] = [];
  const config = ociConfig({
    spec: { name: "web", image: "x", ...spec },
    host: facts,
    rootfs: "/r",
    argv: ["/bin/x"],
    env: ["PATH=/bin"],
    cwd: "/",
    user: { uid: 0, gid: 0, additionalGids: [0], home: "/", name: "root" },
    hostname: "h",
    namespaces: { netnsPath: "/run/netns/x", joined: new Map([["db", 42]]) },
    mounts: { mounts: [], binds: [], shmSource: undefined, hostNetwork: false },
    devices: { nodes: [], rules: [], mounts: [] },
    labels: undefined,
    cgroupPath: "/tscompose/1",
    seccompProfile: () => DEFAULT_SECCOMP,
    warn: (message) => warnings.push(message),
    ...more,
  });
  return { config, warnings };
}

describe("ociConfig", () => {
  test("defaults: private namespaces, masked paths, docker's sysctl, a pids limit", () => {
    const { config, warnings } = make({});
    expect(warnings).toEqual([]);
    expect(config.linux.namespaces).toEqual([
      { type: "mount" },
      { type: "network", path: "/run/netns/x" },
      { type: "pid" },
      { type: "ipc" },
      { type: "uts" },
      { type: "cgroup" },
    ]);
    expect(config.hostname).toBe("h");
    expect(config.linux.sysctl).toEqual({ "net.ipv4.ip_unprivileged_port_start": "0" });
    expect(config.linux.maskedPaths).toContain("/proc/kcore");
    expect(config.linux.resources).toEqual({ pids: { limit: 2048 } });
    expect(config.linux.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
  });
  test("a read-only root file system closes what else leads out: our files, the kernel's own folders", () => {
    const { config } = make({ privileged: true, readOnly: true });
    for (const target of ["/sys", "/sys/fs/cgroup"]) {
      expect(config.mounts.find((mount) => mount.destination === target)?.options).toContain("ro");
    }
  });
  test("a read-only bind of a host's folder reaches its submounts where the kernel can; /sys of the host too", () => {
    const bind = { type: "bind", name: "", source: "/h", target: "/h", readOnly: true, anonymous: false } as const;
    const options = (facts: HostFacts, recursive?: string) => {
      const mounts = [{ ...bind, ...(recursive === undefined ? {} : { recursive }) }];
      const { config } = make({}, facts, { mounts: { mounts, binds: [], shmSource: undefined, hostNetwork: true } });
      return ["/h", "/sys"].map((target) => config.mounts.find((mount) => mount.destination === target)?.options);
    };
    expect(options(noCgroups)).toEqual([
      ["rbind", "rprivate", "ro", "rro"],
      ["rbind", "rslave", "ro", "rro", "nosuid", "noexec", "nodev"],
    ]);
    expect(options({ ...noCgroups, kernelVersion: [5, 11] })).toEqual([
      ["rbind", "rprivate", "ro"],
      ["rbind", "rslave", "ro", "nosuid", "noexec", "nodev"],
    ]);
    expect(options(host, "writable")[0]).toEqual(["rbind", "rprivate", "ro"]);
    expect(options(host, "disabled")[0]).toEqual(["bind", "private", "ro"]);
  });
  test("privileged: everything open, cgroup and sys writable", () => {
    const { config } = make({ privileged: true });
    expect(config.linux.seccomp).toBeUndefined();
    expect(config.linux.maskedPaths).toEqual([]);
    expect(config.linux.readonlyPaths).toEqual([]);
    expect(config.process.capabilities.effective).toHaveLength(CAPABILITIES.length);
    expect(config.mounts.find((mount) => mount.destination === "/sys")?.options).toContain("rw");
  });
  test("joined namespaces: no hostname in somebody else's uts", () => {
    const { config } = make({
      pid: { kind: "container", container: "db" },
      ipc: { kind: "host" },
      uts: { kind: "container", container: "db" },
    });
    expect(config.linux.namespaces).toContainEqual({ type: "pid", path: "/proc/42/ns/pid" });
    expect(config.linux.namespaces.some(({ type }) => type === "ipc")).toBe(false);
    expect(config.hostname).toBeUndefined();
  });
  test("limits become cgroup resources", () => {
    const { config } = make({
      resources: { memoryBytes: 100, cpus: 1.5, cpuShares: 512, pidsLimit: -1, cpusetCpus: "0" },
    });
    expect(config.linux.resources).toEqual({
      memory: { limit: 100, swap: 200 },
      cpu: { shares: 512, period: 100_000, quota: 150_000, cpus: "0" },
    });
  });
  test("without a cgroup every limit asked for is named, none is given", () => {
    const { config, warnings } = make({ resources: { memoryBytes: 100, cpus: 2 } }, noCgroups, { cgroupPath: "" });
    expect(config.linux.resources).toEqual({});
    expect(config.linux.cgroupsPath).toBeUndefined();
    expect(warnings).toEqual([
      "container web: mem_limit cannot be honoured here: no cgroup is delegated",
      "container web: cpus cannot be honoured here: no cgroup is delegated",
    ]);
  });
  test("ulimits and oom score are clamped with a warning", () => {
    const ulimits = [
      { name: "nofile", soft: 500, hard: 5000 },
      { name: "core", soft: -1, hard: -1 },
    ];
    const { config, warnings } = make({ ulimits, oomScoreAdj: -500 }, noCgroups);
    expect(config.process.rlimits.slice(0, 2)).toEqual([
      { type: "RLIMIT_NOFILE", soft: 500, hard: 1000 },
      { type: "RLIMIT_CORE", soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY },
    ]);
    expect(config.process.oomScoreAdj).toBe(0);
    expect(warnings).toHaveLength(2);
    expect(ociJson(config.process.rlimits)).toContain('"hard":18446744073709551615');
  });
  test("what is not asked for is docker's, whatever the calling shell has", () => {
    const infinite = Number.POSITIVE_INFINITY;
    const hardLimits = new Map([
      ["RLIMIT_NOFILE", infinite],
      ["RLIMIT_STACK", infinite],
      ["RLIMIT_MEMLOCK", 65_536],
      ["RLIMIT_NPROC", 4000],
      ["RLIMIT_CORE", infinite],
      ["RLIMIT_NICE", 20],
    ]);
    const { config, warnings } = make({ ulimits: [{ name: "core", soft: 0, hard: 0 }] }, { ...noCgroups, hardLimits });
    const limits = Object.fromEntries(config.process.rlimits.map(({ type, soft, hard }) => [type, [soft, hard]]));
    expect(limits).toEqual({
      RLIMIT_CORE: [0, 0],
      RLIMIT_NOFILE: [1_048_576, 1_048_576],
      RLIMIT_STACK: [8_388_608, infinite],
      RLIMIT_MEMLOCK: [65_536, 65_536],
      RLIMIT_NPROC: [4000, 4000],
      RLIMIT_NICE: [0, 0],
    });
    expect(config.process.user.umask).toBe(0o022);
    expect(warnings).toEqual([]);
    // as exec reads it back out of config.json
    expect(ociJson(JSON.parse(ociJson({ soft: infinite })))).toBe('{"soft":18446744073709551615}');
  });
  test("mounts: parents first, what is asked for replaces a base mount, no gid=5 where it is unmapped", () => {
    const mount = { name: "", source: "/s", readOnly: false, anonymous: false };
    const { config } = make({}, noCgroups, {
      mounts: {
        mounts: [
          { ...mount, type: "bind", target: "/a/b/c" },
          { ...mount, type: "bind", target: "/a", readOnly: true },
          { ...mount, type: "tmpfs", target: "/dev/shm/", tmpfsOptions: ["size=1m", "exec"] },
        ],
        binds: [{ source: "/h", target: "/etc/hosts", readOnly: false }],
        shmSource: undefined,
        hostNetwork: true,
      },
    });
    const targets = config.mounts.map((entry) => entry.destination);
    expect(targets.indexOf("/a")).toBeLessThan(targets.indexOf("/a/b/c"));
    expect(targets.filter((target) => target === "/dev/shm")).toHaveLength(1);
    expect(config.mounts.find((entry) => entry.destination === "/dev/shm")?.options).toEqual([
      "nosuid",
      "nodev",
      "mode=1777",
      "size=1m",
      "exec",
    ]);
    expect(config.mounts.find((entry) => entry.destination === "/dev/pts")?.options).not.toContain("gid=5");
    expect(config.mounts.find((entry) => entry.destination === "/sys")?.type).toBe("bind");
  });
  test("annotations that give a runtime orders are left out, each is told (CVE-2025-24965)", () => {
    const orders = [
      "run.oci.handler",
      "RUN.OCI.hooks.stdout",
      "krun.cpus",
      "module.wasm.image/variant",
      "org.criu.config",
    ];
    const annotations = Object.fromEntries(
      [...orders, "org.systemd.property.CPUQuota", "note"].map((key) => [key, "x"]),
    );
    const { config, warnings } = make({ annotations });
    expect(config.annotations).toEqual({ note: "x" });
    expect(warnings).toHaveLength(6);
    expect(warnings[0]).toContain('annotation "run.oci.handler" is left out');
  });
  test.each([
    ["kernel.hostname", {}],
    ["net.ipv4.ip_forward", { networkMode: { kind: "host" } as const }],
    ["kernel.shmmax", { ipc: { kind: "host" } as const }],
    ["net..x", {}],
  ])("sysctl %s is refused where it would reach further", (name, spec) => {
    const namespaces = { netnsPath: "", joined: new Map<string, number>() };
    const isHost = "networkMode" in spec;
    expect(() => make({ sysctls: { [name]: "1" }, ...spec }, host, isHost ? { namespaces } : {})).toThrow(
      "cannot be set here",
    );
  });
  test.each(["bogus", "seccomp", "unmask"])("security option %s is refused", (option) => {
    expect(() => make({ securityOpt: [option] })).toThrow("unknown security option");
  });

  test("without a device filter: nodev everywhere, no capability that makes nodes, said once", () => {
    const facts = { ...host, cgroups: { ...noCgroups.cgroups, reason: "/sys/fs/cgroup is not writable" } };
    const { config, warnings } = make({ mounts: [] }, facts, { cgroupPath: "" });
    expect(warnings).toEqual([expect.stringContaining("no device filter here (/sys/fs/cgroup is not writable)")]);
    expect(config.process.capabilities.bounding).not.toContain("CAP_MKNOD");
    const open = config.mounts.filter(({ options }) => !options.some((option) => /^r?nodev$/.test(option)));
    expect(open.map(({ destination }) => destination)).toEqual(["/dev", "/dev/pts"]);
    expect(config.linux.resources.devices).toBeUndefined();
    expect(make({ privileged: true }, facts, { cgroupPath: "" }).warnings).toEqual([]);
    expect(() => make({ capAdd: ["MKNOD"] }, facts)).toThrow("cap_add MKNOD needs a device filter");
  });
  test("AppArmor: the default profile, what is asked for, nothing when privileged; refused where there is none", () => {
    const profileOf = (spec: Partial<ContainerSpec>, facts: HostFacts) =>
      make(spec, facts).config.process.apparmorProfile;
    const armored = { ...host, apparmor: true };
    expect(profileOf({}, host)).toBeUndefined();
    expect(profileOf({ securityOpt: ["apparmor=unconfined"] }, host)).toBeUndefined();
    expect(() => make({ securityOpt: ["apparmor=mine"] })).toThrow('AppArmor profile "mine" cannot be had');
    expect(profileOf({}, armored)).toBe("tscompose-default");
    expect(profileOf({ privileged: true }, armored)).toBe("unconfined");
    expect(profileOf({ securityOpt: ["apparmor=mine"], privileged: true }, armored)).toBe("mine");
  });
  test("SELinux: the labels that were chosen; none of the process where the policy decides", () => {
    const labels = { process: "u:r:container_t:s0:c1,c2", mount: "u:r:container_file_t:s0:c1,c2" };
    const { config } = make({}, host, { labels });
    expect([config.process.selinuxLabel, config.linux.mountLabel]).toEqual([labels.process, labels.mount]);
    const open = make({}, host, { labels: { ...labels, process: "" } }).config;
    expect(open.process).not.toHaveProperty("selinuxLabel");
    expect(open.linux.mountLabel).toBe(labels.mount);
    expect(make({}, host).config.linux).not.toHaveProperty("mountLabel");
  });
  test("supplementary groups that one mapped id cannot hold are told", () => {
    const user = { uid: 0, gid: 0, additionalGids: [0, 44], home: "/", name: "root" };
    const { config, warnings } = make({ groupAdd: ["44"] }, { ...noCgroups, singleId: true }, { cgroupPath: "", user });
    expect(config.process.user.additionalGids).toEqual([]);
    expect(warnings).toEqual(["container web: group_add cannot be honoured here: one id is mapped"]);
  });
});
