/** Limits and devices of a service. `deploy.resources` and the short attributes mean the same; the loader refused contradictions. Pure. */
import type { DeviceRequest, Service } from "../../compose/model.js";
import type { ContainerSpec, Resources, Ulimit } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { invalid } from "./service-error.js";

/** Cgroup limits. */
export function resourceFields(service: string, config: Service): Resources {
  const limits = config.deploy?.resources?.limits;
  const reservations = config.deploy?.resources?.reservations;
  const blkio = config.blkio_config;
  const throttle = [
    ...(blkio?.device_read_bps ?? []).map((rule) => ({ kind: "readBps" as const, ...rule })),
    ...(blkio?.device_write_bps ?? []).map((rule) => ({ kind: "writeBps" as const, ...rule })),
    ...(blkio?.device_read_iops ?? []).map((rule) => ({ kind: "readIops" as const, ...rule })),
    ...(blkio?.device_write_iops ?? []).map((rule) => ({ kind: "writeIops" as const, ...rule })),
  ].map(({ kind, path, rate }) => ({ kind, path, rate: bytes(service, "blkio_config.rate", rate) ?? 0 }));
  return {
    ...given({
      memoryBytes: bytes(service, "mem_limit", config.mem_limit ?? limits?.memory),
      memoryReservationBytes: bytes(service, "mem_reservation", config.mem_reservation ?? reservations?.memory),
      memorySwapBytes: bytes(service, "memswap_limit", config.memswap_limit),
      memorySwappiness: bytes(service, "mem_swappiness", config.mem_swappiness),
      oomKillDisable: config.oom_kill_disable,
      pidsLimit: config.pids_limit ?? limits?.pids,
      cpus: config.cpus ?? limits?.cpus,
      cpuShares: config.cpu_shares,
      cpuQuotaUs: config.cpu_quota,
      cpuPeriodUs: config.cpu_period,
      cpuRealtimeRuntimeUs: config.cpu_rt_runtime,
      cpuRealtimePeriodUs: config.cpu_rt_period,
      cpusetCpus: config.cpuset,
      blkioWeight: blkio?.weight,
    }),
    ...(blkio?.weight_device === undefined
      ? {}
      : { blkioWeightDevice: blkio.weight_device.map(({ path, weight }) => ({ path, weight: weight ?? 0 })) }),
    ...(throttle.length > 0 ? { blkioThrottle: throttle } : {}),
  };
}

/** Devices, GPUs (as CDI names), cgroup device rules, ulimits and shm size. */
export function deviceFields(service: string, config: Service): Partial<ContainerSpec> {
  const cdi: string[] = [];
  const devices: { source: string; target: string; permissions: string }[] = [];
  for (const device of config.devices ?? []) {
    const source = device.source ?? "";
    if (isCdiName(source)) cdi.push(source);
    else devices.push({ source, target: device.target ?? source, permissions: device.permissions ?? "rwm" });
  }
  for (const request of config.gpus ?? []) cdi.push(...cdiNames(service, "gpus", request));
  for (const request of config.deploy?.resources?.reservations?.devices ?? []) {
    cdi.push(...cdiNames(service, "deploy.resources.reservations.devices", request));
  }
  return {
    devices,
    cdiDevices: [...new Set(cdi)],
    ...given({ deviceCgroupRules: config.device_cgroup_rules }),
    ulimits: Object.entries(config.ulimits ?? {}).map(([name, limit]) => ulimit(name, limit)),
    ...given({ shmSizeBytes: bytes(service, "shm_size", config.shm_size) }),
  };
}

function ulimit(name: string, limit: number | { readonly soft?: number; readonly hard?: number }): Ulimit {
  if (typeof limit === "number") return { name, soft: limit, hard: limit };
  return { name, soft: limit.soft ?? limit.hard ?? 0, hard: limit.hard ?? limit.soft ?? 0 };
}

/** `vendor.com/class=name` (CDI specification, "qualified device name"). */
function isCdiName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(text);
}

function cdiNames(service: string, attribute: string, request: DeviceRequest): string[] {
  const { driver = "", count, device_ids: ids = [], capabilities = [] } = request;
  if (driver === "cdi") return [...ids];
  const isGpu = capabilities.length === 0 || capabilities.includes("gpu") || attribute === "gpus";
  if ((driver === "" || driver === "nvidia") && isGpu) {
    if (ids.length > 0) return ids.map((id) => `nvidia.com/gpu=${id}`);
    if (count === undefined || count === -1) return ["nvidia.com/gpu=all"];
    return Array.from({ length: count }, (_, index) => `nvidia.com/gpu=${index}`);
  }
  if (driver === "amd" || driver === "intel.com/gpu" || driver === "intel") {
    const kind = driver === "amd" ? "amd.com/gpu" : "intel.com/gpu";
    if (ids.length > 0) return ids.map((id) => `${kind}=${id}`);
    return count === undefined || count === -1
      ? [`${kind}=all`]
      : Array.from({ length: count }, (_, index) => `${kind}=${index}`);
  }
  throw new TscError(
    "TSC_DEVICE_UNSUPPORTED",
    `service "${service}": ${attribute}: no way to select device driver "${driver}" with capabilities [${capabilities.join(", ")}]`,
    { kind: "unsupported", hint: "use driver: cdi with device_ids: [vendor/class=name]" },
  );
}

/** A decimal string of bytes (or a plain number as text); -1 is kept. */
export function bytes(service: string, attribute: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw invalid(service, attribute, text);
  return value;
}
