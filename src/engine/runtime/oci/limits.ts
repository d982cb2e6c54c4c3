/** Resource limits: rlimits, oom score, cgroup resources. Pure; says by name what cannot be honoured here. */
import { TscError } from "../../../lib/errors.js";
import type { ContainerSpec, Resources, Ulimit } from "../../types.js";
import type { HostFacts } from "../host.js";
import type { OciDeviceRule, OciResources, OciRlimit } from "./types.js";

/** Podman's default; keeps a fork bomb inside. */
const DEFAULT_PIDS_LIMIT = 2048;

const MIB = 1024 * 1024;

/** dockerd's own limits, which its containers inherit: `[soft, hard]` where they are not unlimited. */
const DEFAULT_LIMITS: Readonly<Record<string, readonly [soft: number, hard: number]>> = {
  RLIMIT_NOFILE: [1_048_576, 1_048_576],
  RLIMIT_STACK: [8 * MIB, Number.POSITIVE_INFINITY],
  RLIMIT_MEMLOCK: [8 * MIB, 8 * MIB],
  RLIMIT_NICE: [0, 0],
  RLIMIT_RTPRIO: [0, 0],
};

/**
 * Every RLIMIT entry: the given ones, else docker's defaults, never what the calling shell has. Clamped to what this process may set; a
 * clamp of a given one is a warning. `TSC_ULIMIT_INVALID`.
 */
export function rlimits(ulimits: readonly Ulimit[], host: HostFacts, warn: (message: string) => void): OciRlimit[] {
  const given = givenLimits(ulimits, host, warn);
  const isGiven = new Set(given.map(({ type }) => type));
  const others = [...host.hardLimits].filter(([type]) => !isGiven.has(type));
  return [
    ...given,
    ...others.map(([type, ceiling]) => {
      const [soft, hard] = DEFAULT_LIMITS[type] ?? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      return { type, soft: Math.min(soft, ceiling), hard: Math.min(hard, ceiling) };
    }),
  ];
}

function givenLimits(ulimits: readonly Ulimit[], host: HostFacts, warn: (message: string) => void): OciRlimit[] {
  const canRaise = host.boundingCaps.has("CAP_SYS_RESOURCE") && !host.rootless;
  return ulimits.map((limit) => {
    const type = `RLIMIT_${limit.name.toUpperCase()}`;
    const ceiling = host.hardLimits.get(type);
    if (ceiling === undefined) {
      throw new TscError("TSC_ULIMIT_INVALID", `no such ulimit: ${JSON.stringify(limit.name)}`, {
        kind: "invalid-input",
      });
    }
    const wantedHard = limit.hard === -1 ? Number.POSITIVE_INFINITY : limit.hard;
    const wantedSoft = limit.soft === -1 ? Number.POSITIVE_INFINITY : limit.soft;
    if (wantedSoft > wantedHard) {
      throw new TscError("TSC_ULIMIT_INVALID", `ulimit ${limit.name}: soft limit is above the hard limit`, {
        kind: "invalid-input",
      });
    }
    const hard = canRaise ? wantedHard : Math.min(wantedHard, ceiling);
    if (hard < wantedHard)
      warn(`ulimit ${limit.name} is clamped to ${hard}: this process may not raise its hard limit`);
    return { type, soft: Math.min(wantedSoft, hard), hard };
  });
}

/** The score adjustment, raised to ours when it may not go lower. undefined = leave alone. */
export function oomScore(
  wanted: number | undefined,
  host: HostFacts,
  warn: (message: string) => void,
): number | undefined {
  if (wanted === undefined || wanted === 0) return undefined;
  const canLower = host.boundingCaps.has("CAP_SYS_RESOURCE") && !host.rootless;
  if (canLower || wanted >= host.oomScoreAdj) return wanted;
  warn(`oom_score_adj ${wanted} is raised to ${host.oomScoreAdj}: lowering it needs CAP_SYS_RESOURCE`);
  return host.oomScoreAdj;
}

/** Attribute of `Resources` → controllers that serve it, any of them. */
const NEEDS: readonly (readonly [keyof Resources, string, readonly string[]])[] = [
  ["memoryBytes", "mem_limit", ["memory"]],
  ["memoryReservationBytes", "mem_reservation", ["memory"]],
  ["memorySwapBytes", "memswap_limit", ["memory"]],
  ["memorySwappiness", "mem_swappiness", ["memory"]],
  ["oomKillDisable", "oom_kill_disable", ["memory"]],
  ["pidsLimit", "pids_limit", ["pids"]],
  ["cpus", "cpus", ["cpu"]],
  ["cpuShares", "cpu_shares", ["cpu"]],
  ["cpuQuotaUs", "cpu_quota", ["cpu"]],
  ["cpuPeriodUs", "cpu_period", ["cpu"]],
  ["cpuRealtimeRuntimeUs", "cpu_rt_runtime", ["cpu"]],
  ["cpuRealtimePeriodUs", "cpu_rt_period", ["cpu"]],
  ["cpusetCpus", "cpuset", ["cpuset"]],
  ["cpusetMems", "cpuset_mems", ["cpuset"]],
  ["blkioWeight", "blkio_config.weight", ["io", "blkio"]],
  ["blkioWeightDevice", "blkio_config.weight_device", ["io", "blkio"]],
  ["blkioThrottle", "blkio_config.device_*", ["io", "blkio"]],
];

/** Resources for which this host gives no cgroup controller; each is warned about by its compose name. */
export function honoured(spec: ContainerSpec, host: HostFacts, warn: (message: string) => void): Resources {
  const asked = spec.resources ?? {};
  const kept: Record<string, unknown> = { ...asked };
  for (const [key, name, controllers] of NEEDS) {
    if (asked[key] === undefined) continue;
    const isV1Only = (key === "memorySwappiness" || key === "oomKillDisable") && host.cgroups.version === "v2";
    if (!isV1Only && controllers.some((controller) => host.cgroups.controllers.has(controller))) continue;
    delete kept[key];
    if (key === "oomKillDisable" && asked.oomKillDisable === false) continue;
    const reason = isV1Only
      ? "cgroup v2 has no such control"
      : host.cgroups.reason || `no ${controllers[0]} controller`;
    warn(`container ${spec.name}: ${name} cannot be honoured here: ${reason}`);
  }
  return kept as Resources;
}

/** Finds device numbers of a block device named in blkio settings. */
export type DeviceNumbers = (path: string) => { readonly major: number; readonly minor: number };

/** The `resources` object of config.json (also what `update` sends to the runtime). */
export function cgroupResources(
  resources: Resources,
  host: HostFacts,
  devices: readonly OciDeviceRule[],
  numbers: DeviceNumbers,
): OciResources {
  const has = (controller: string): boolean => host.cgroups.controllers.has(controller);
  if (host.cgroups.parent === undefined) return {};
  const memory: Record<string, unknown> = {};
  if (resources.memoryBytes !== undefined && resources.memoryBytes > 0) {
    memory.limit = resources.memoryBytes;
    // docker: as much swap again as memory, unless told otherwise.
    if (host.cgroups.hasSwap) memory.swap = resources.memorySwapBytes || resources.memoryBytes * 2;
  }
  if (resources.memoryReservationBytes) memory.reservation = resources.memoryReservationBytes;
  if (resources.memorySwappiness !== undefined && resources.memorySwappiness >= 0) {
    memory.swappiness = resources.memorySwappiness;
  }
  if (resources.oomKillDisable === true) memory.disableOOMKiller = true;

  const cpu: Record<string, unknown> = {};
  if (resources.cpuShares) cpu.shares = resources.cpuShares;
  if (resources.cpuQuotaUs) cpu.quota = resources.cpuQuotaUs;
  if (resources.cpuPeriodUs) cpu.period = resources.cpuPeriodUs;
  if (resources.cpus) {
    cpu.period = resources.cpuPeriodUs || 100_000;
    cpu.quota = Math.round(resources.cpus * Number(cpu.period));
  }
  if (resources.cpuRealtimeRuntimeUs) cpu.realtimeRuntime = resources.cpuRealtimeRuntimeUs;
  if (resources.cpuRealtimePeriodUs) cpu.realtimePeriod = resources.cpuRealtimePeriodUs;
  if (resources.cpusetCpus) cpu.cpus = resources.cpusetCpus;
  if (resources.cpusetMems) cpu.mems = resources.cpusetMems;

  const block: Record<string, unknown> = {};
  if (resources.blkioWeight) block.weight = resources.blkioWeight;
  if (resources.blkioWeightDevice !== undefined && resources.blkioWeightDevice.length > 0) {
    block.weightDevice = resources.blkioWeightDevice.map(({ path, weight }) => ({ ...numbers(path), weight }));
  }
  for (const kind of ["readBps", "writeBps", "readIops", "writeIops"] as const) {
    const entries = (resources.blkioThrottle ?? []).filter((entry) => entry.kind === kind);
    if (entries.length === 0) continue;
    const key = { readBps: "Read", writeBps: "Write", readIops: "Read", writeIops: "Write" }[kind];
    block[`throttle${key}${kind.endsWith("Bps") ? "Bps" : "IOPS"}Device`] = entries.map(({ path, rate }) => ({
      ...numbers(path),
      rate,
    }));
  }
  const pids = resources.pidsLimit ?? DEFAULT_PIDS_LIMIT;
  return {
    ...(devices.length === 0 || !host.cgroups.filtersDevices ? {} : { devices }),
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(has("pids") && pids > 0 ? { pids: { limit: pids } } : {}),
    ...(Object.keys(block).length === 0 ? {} : { blockIO: block }),
  };
}
