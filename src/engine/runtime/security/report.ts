/** What `doctor --security` says: the confinement that this host gives containers, and what to do about what is missing. */

import { setting } from "../../../kernel/proc.js";
import type { SecurityFinding } from "../../api.js";
import type { EngineContext } from "../../context.js";
import { saidVersion } from "../../said-version.js";
import { profilesInKernel } from "../apparmor.js";
import { type HostFacts, hasAppArmor } from "../host.js";
import { DEFAULT_APPARMOR_PROFILE } from "../oci/apparmor.js";
import { findProgram } from "../oci-runtime.js";
import { holesOf } from "./advice.js";
import { KNOBS } from "./knobs.js";

/** All that is judged, as read from this machine. */
export interface SecurityFacts {
  readonly host: Pick<
    HostFacts,
    "rootless" | "singleId" | "userIds" | "cgroups" | "apparmor" | "selinux" | "boundingCaps"
  >;
  /** By sysctl name; undefined for what this kernel does not have. */
  readonly knobs: ReadonlyMap<string, string | undefined>;
  /** Words of /proc/sys/kernel/seccomp/actions_avail; empty without seccomp. */
  readonly seccompActions: readonly string[];
  /** AppArmor is on in this kernel, whoever may give profiles. */
  readonly hasAppArmor: boolean;
  readonly defaultProfileLoaded: boolean;
  readonly hasAppArmorParser: boolean;
  readonly runtimes: readonly { readonly name: string; readonly version: string; readonly seccomp: boolean }[];
}

/** Reads the kernel and asks the installed runtimes what they are. */
export async function securityReport(ctx: EngineContext, host: HostFacts): Promise<SecurityFinding[]> {
  const runtimes = await Promise.all(
    ["crun", "runc"].flatMap((name) => {
      const path = findProgram(name);
      return path === undefined ? [] : [describeRuntime(ctx, name, path)];
    }),
  );
  const sysctl = (name: string) => setting(name.replaceAll(".", "/"));
  return judge({
    host,
    knobs: new Map(KNOBS.map(({ name }) => [name, sysctl(name)])),
    seccompActions: (sysctl("kernel.seccomp.actions_avail") ?? "").split(" ").filter(Boolean),
    hasAppArmor: hasAppArmor(),
    defaultProfileLoaded: profilesInKernel().has(DEFAULT_APPARMOR_PROFILE),
    hasAppArmorParser: findProgram("apparmor_parser") !== undefined,
    runtimes,
  });
}

async function describeRuntime(
  ctx: EngineContext,
  name: string,
  path: string,
): Promise<SecurityFacts["runtimes"][number]> {
  const said = await saidVersion(ctx.kernel, path);
  const version = /version (\S+)/.exec(said)?.[1] ?? "";
  return { name, version, seccomp: /\+SECCOMP\b|libseccomp/.test(said) };
}

/** One finding for each confinement, the most important first. Pure. */
export function judge(facts: SecurityFacts): SecurityFinding[] {
  return [
    ...confinement(facts),
    ...facts.runtimes.map(({ name, version }) => runtimeFinding(name, version)),
    ...KNOBS.flatMap(({ name, good, why, want }): SecurityFinding[] => {
      const value = facts.knobs.get(name);
      if (value === undefined) return [];
      if (want === undefined || good(Number(value))) return [{ name, state: "ok", value, why }];
      return [{ name, state: "advice", value, why, advice: `sysctl -w ${name}=${want}` }];
    }),
  ];
}

function confinement({ host, seccompActions, runtimes, ...facts }: SecurityFacts): SecurityFinding[] {
  const { cgroups } = host;
  const found = (name: string, why: string, good: boolean, value: string, advice: string): SecurityFinding =>
    good ? { name, state: "ok", value, why } : { name, state: "missing", value, why, advice };
  const blind = runtimes.filter(({ seccomp }) => !seccomp).map(({ name }) => name);
  const hasSeccomp = seccompActions.includes("errno") && blind.length === 0;
  const delegate = host.rootless
    ? "log in through systemd with cgroup v2, or set Delegate=yes for user@.service"
    : "give tscompose a writable /sys/fs/cgroup with the devices and pids controllers";
  const hasPids = cgroups.controllers.has("pids");
  const users = host.userIds.map(({ inside, outside, length }) => `${inside}+${length} → ${outside}`).join(", ");
  return [
    found(
      "seccomp",
      "keeps containers from system calls that they do not need",
      hasSeccomp,
      seccompActions.includes("errno")
        ? blind.length === 0
          ? "yes"
          : `not in ${blind.join(", ")}`
        : "not in this kernel",
      "use a kernel and an OCI runtime that are built with seccomp; containers are refused without",
    ),
    found(
      "device filter",
      "keeps containers from the host's disks",
      host.rootless || cgroups.filtersDevices,
      host.rootless ? "by the user namespace" : cgroups.filtersDevices ? "by cgroup" : `no: ${cgroups.reason}`,
      `${delegate}; until then everything is nodev and CAP_MKNOD is taken away`,
    ),
    found(
      "pids limit",
      "stops a fork bomb (2048 unless asked)",
      hasPids,
      hasPids ? "yes" : `no: ${cgroups.reason || "no pids controller"}`,
      delegate,
    ),
    found(
      "resource limits",
      "memory, cpu and io",
      cgroups.parent !== undefined,
      cgroups.parent === undefined
        ? `no: ${cgroups.reason}`
        : `${cgroups.version}: ${[...cgroups.controllers].sort().join(" ")}`,
      delegate,
    ),
    securityModule(host, facts),
    {
      name: "user namespace",
      state: host.rootless && !host.singleId ? "ok" : "advice",
      value: host.rootless ? users : "none: root in a container is root of the host",
      why: "root in a container is nobody outside",
      ...(host.rootless && !host.singleId
        ? {}
        : {
            advice: host.rootless ? "add a range to /etc/subuid and /etc/subgid" : "run tscompose as an ordinary user",
          }),
    },
    {
      name: "masked paths",
      state: "ok",
      value: "confirmed at each start",
      why: "hide or write-protect parts of /proc and /sys; containers are refused without",
    },
    { name: "no_new_privs", state: "ok", value: "per container", why: "security_opt: [no-new-privileges:true]" },
  ];
}

/** What docker and podman call AppArmor and SELinux support, with the advice that this host needs. */
function securityModule(
  { apparmor, selinux, rootless }: SecurityFacts["host"],
  facts: Pick<SecurityFacts, "hasAppArmor" | "defaultProfileLoaded" | "hasAppArmorParser">,
): SecurityFinding {
  const found = (value: string, advice?: string): SecurityFinding => {
    const what = { name: "security module", value, why: "a second wall behind namespaces and capabilities" };
    return advice === undefined ? { ...what, state: "ok" } : { ...what, state: "advice", advice };
  };
  if (selinux !== undefined) {
    if (selinux.lacks !== undefined)
      return found(
        `SELinux, but containers get no label: ${selinux.lacks}`,
        "load a policy for containers (container-selinux)",
      );
    const type = selinux.process.split(":")[2] ?? "";
    return selinux.isEnforcing
      ? found(`SELinux: ${type}, each container with categories of its own`)
      : found(
          `SELinux, permissive: ${type}, but nothing is denied`,
          "setenforce 1, and SELINUX=enforcing in /etc/selinux/config",
        );
  }
  if (apparmor) {
    if (facts.defaultProfileLoaded) return found(`AppArmor: ${DEFAULT_APPARMOR_PROFILE}`);
    if (facts.hasAppArmorParser) return found(`AppArmor: ${DEFAULT_APPARMOR_PROFILE}, loaded with the first container`);
    return found("AppArmor, without apparmor_parser: containers are refused", "apt-get install apparmor");
  }
  if (!facts.hasAppArmor) return found("none", "enable AppArmor (security=apparmor) or SELinux");
  return rootless
    ? found(
        "AppArmor, whose profiles only root's containers get",
        "run tscompose as root, or rely on the user namespace",
      )
    : found(
        "AppArmor, whose interface is not mounted: containers get no profile",
        "mount -t securityfs securityfs /sys/kernel/security",
      );
}

function runtimeFinding(name: string, version: string): SecurityFinding {
  const holes = holesOf(name, version);
  const why = "runs containers";
  if (holes.length === 0) return { name, state: "ok", value: version, why };
  const list = holes.map(({ id, what }) => `${id} (${what})`).join("; ");
  return {
    name,
    state: "advice",
    value: version,
    why,
    advice: `update it, or see that your distribution mended: ${list}`,
  };
}
