/** Puts config.json together from parts that are each decided elsewhere. Pure; warnings go to `warn`. */

import { TscError } from "../../../lib/errors.js";
import { given } from "../../../lib/given.js";
import type { Labels } from "../../selinux/index.js";
import type { ContainerSpec } from "../../types.js";
import type { HostFacts } from "../host.js";
import { apparmorProfile } from "./apparmor.js";
import { boundingSet, capabilitySets } from "./capabilities.js";
import { deviceFilterWarning, lacksDeviceFilter, withoutDeviceCapabilities, withoutDevices } from "./device-filter.js";
import { boundSource, type DeviceSet, deviceNumbersOf } from "./devices.js";
import { cgroupResources, honoured, oomScore, rlimits } from "./limits.js";
import { type MountFacts, mountList } from "./mounts.js";
import { type NamespaceFacts, namespaces } from "./namespaces.js";
import { chooseSeccomp, type SeccompProfile } from "./seccomp.js";
import { hiddenPaths, parseSecurityOptions } from "./security.js";
import type { OciConfig } from "./types.js";
import type { ResolvedUser } from "./users.js";

/** What config.json is made of. */
export interface SpecInput {
  readonly spec: ContainerSpec;
  readonly host: HostFacts;
  readonly rootfs: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ResolvedUser;
  readonly hostname: string;
  readonly namespaces: NamespaceFacts;
  readonly mounts: MountFacts;
  readonly devices: DeviceSet;
  /** SELinux labels; undefined where there are none. */
  readonly labels: Labels | undefined;
  /** Absolute below the hierarchies' roots; empty for none. */
  readonly cgroupPath: string;
  /** Reads the default or a named seccomp profile. */
  readonly seccompProfile: (path: string | undefined) => SeccompProfile;
  readonly warn: (message: string) => void;
}

/** What dockerd's containers have, whatever the shell that called says. */
const DEFAULT_UMASK = 0o022;

/** The whole config.json. */
export function ociConfig(input: SpecInput): OciConfig {
  const { spec, host, user, warn } = input;
  const privileged = spec.privileged === true;
  const security = parseSecurityOptions(spec.securityOpt ?? []);
  const isUnfiltered = lacksDeviceFilter(host, spec);
  if (isUnfiltered) warn(deviceFilterWarning(host));
  const request = {
    add: spec.capAdd ?? [],
    drop: spec.capDrop ?? [],
    privileged,
    isRootUser: user.uid === 0,
    available: isUnfiltered ? withoutDeviceCapabilities(spec, host.boundingCaps) : host.boundingCaps,
  };
  const { bounding, missing } = boundingSet(request);
  for (const name of missing)
    warn(`container ${spec.name}: cap_add ${name} cannot be honoured: this process does not have it`);
  const hidden = hiddenPaths(security, privileged);
  const list = namespaces(spec, input.namespaces, host);
  const has = (type: string): boolean => list.some((entry) => entry.type === type);
  const ownsUts = list.some((entry) => entry.type === "uts" && entry.path === undefined);
  const seccomp =
    privileged || security.seccomp === "unconfined"
      ? undefined
      : chooseSeccomp(input.seccompProfile(security.seccomp), {
          architecture: host.architecture,
          bounding: new Set(bounding),
          kernelVersion: host.kernelVersion,
        });
  const profile = apparmorProfile(spec, security, host);
  if (host.singleId && (spec.groupAdd ?? []).length > 0) {
    warn(`container ${spec.name}: group_add cannot be honoured here: one id is mapped`);
  }
  const score = oomScore(spec.oomScoreAdj, host, warn);
  const resources = cgroupResources(honoured(spec, host, warn), host, input.devices.rules, deviceNumbersOf);
  const joinsNetwork = spec.networkMode?.kind === "host" || spec.networkMode?.kind === "container";
  const sysctl: Record<string, string> = {};
  // docker: in a network namespace of its own every user may bind every port.
  if (has("network") && !joinsNetwork) sysctl["net.ipv4.ip_unprivileged_port_start"] = "0";
  for (const [name, value] of Object.entries(spec.sysctls ?? {})) {
    checkSysctl(name, spec, has("ipc"), has("network") && !joinsNetwork);
    sysctl[name] = value;
  }
  const mounts = mountList(spec, input.mounts, host);
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: spec.tty === true,
      user: {
        uid: user.uid,
        gid: user.gid,
        umask: DEFAULT_UMASK,
        additionalGids: host.singleId ? [] : user.additionalGids,
      },
      args: input.argv,
      env: input.env,
      cwd: input.cwd,
      capabilities: capabilitySets(bounding, request),
      rlimits: rlimits(spec.ulimits ?? [], host, warn),
      noNewPrivileges: security.noNewPrivileges,
      ...given({ oomScoreAdj: score, apparmorProfile: profile }),
      ...(input.labels === undefined || input.labels.process === "" ? {} : { selinuxLabel: input.labels.process }),
    },
    root: { path: input.rootfs, readonly: spec.readOnly === true },
    ...(ownsUts ? { hostname: input.hostname } : {}),
    mounts: [
      ...(isUnfiltered
        ? withoutDevices(spec.name, mounts, (source) => boundSource(source, input.devices.rules))
        : mounts),
      ...input.devices.mounts,
    ],
    ...(spec.annotations === undefined ? {} : { annotations: safeAnnotations(spec, spec.annotations, warn) }),
    linux: {
      namespaces: list,
      devices: input.devices.nodes,
      ...(input.cgroupPath === "" ? {} : { cgroupsPath: input.cgroupPath }),
      resources,
      ...given({ seccomp }),
      sysctl,
      maskedPaths: hidden.masked,
      readonlyPaths: hidden.readonly,
      ...(input.labels === undefined ? {} : { mountLabel: input.labels.mount }),
    },
  };
}

/** What runtimes take as orders: crun's handlers, hooks and raw mounts, its wasm and virtual machine handlers, systemd's unit properties, CRIU's switches. */
const STEERING =
  /^(?:run\.oci\.|krun\.|module\.wasm\.|org\.systemd\.property\.|org\.criu\.|io\.katacontainers\.|dev\.gvisor\.)/i;

/** Annotations without those that steer the runtime, of which each is told: none may come from a compose file (CVE-2025-24965). */
function safeAnnotations(
  spec: Pick<ContainerSpec, "name">,
  annotations: Readonly<Record<string, string>>,
  warn: (message: string) => void,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => {
      const steers = STEERING.test(key);
      if (steers)
        warn(`container ${spec.name}: annotation ${JSON.stringify(key)} is left out: it gives orders to the runtime`);
      return !steers;
    }),
  );
}

const IPC_SYSCTLS = /^(?:kernel\.(?:shm(?:all|max|mni|_rmid_forced)|msg(?:max|mnb|mni)|sem)|fs\.mqueue\..+)$/;

function checkSysctl(name: string, spec: ContainerSpec, ownsIpc: boolean, ownsNetwork: boolean): void {
  const dotted = name.replaceAll("/", ".");
  const isIpc = IPC_SYSCTLS.test(dotted) && ownsIpc && spec.ipc?.kind !== "container";
  const isNet = dotted.startsWith("net.") && ownsNetwork;
  if ((isIpc || isNet) && !dotted.includes("..")) return;
  throw new TscError(
    "TSC_SYSCTL_REFUSED",
    `container ${spec.name}: sysctl ${JSON.stringify(name)} cannot be set here`,
    {
      kind: "invalid-input",
      hint: "only net.* (own network) and kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.* (own ipc) are kept per container",
      exitCode: 125,
    },
  );
}

const UINT64_MAX = "18446744073709551615";

/** JSON as OCI runtimes read it: an infinite limit is the largest 64-bit number, which a double cannot hold (read back, it is too large). */
export function ociJson(value: unknown): string {
  const raw = JSON as unknown as { rawJSON(text: string): unknown };
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "number" && item >= Number(UINT64_MAX) ? raw.rawJSON(UINT64_MAX) : item,
  );
}
