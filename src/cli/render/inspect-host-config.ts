/** What docker's `inspect` calls HostConfig and Mounts. Pure. */
import { MASKED_PATHS, READONLY_PATHS } from "../../engine/runtime/oci/security.js";
import { withSharedContainers } from "../../engine/sharing.js";
import type {
  ContainerInfo,
  ContainerSpec,
  MountSpec,
  NamespaceMode,
  ResolvedMount,
  Resources,
} from "../../engine/types.js";
import { orNull } from "./inspect-values.js";
import { openMap } from "./template.js";

/** What was asked of the host for a container. Whose namespaces it joins is said by id, as dockerd does: `donors` has the ids by the spec's words. */
export function hostConfig({ spec, networks, mounts }: ContainerInfo, donors: ReadonlyMap<string, string>): object {
  const { resources = {}, restart } = spec;
  const { networkMode, ipc, pid, uts } = withSharedContainers(spec, (container) => donors.get(container) ?? container);
  const first = spec.networks?.[0]?.network ?? networks[0]?.network ?? "bridge";
  const mode = networkMode === undefined || networkMode.kind === "bridge" ? first : networkMode.kind;
  return {
    Binds: orNull((spec.mounts ?? []).filter(isBind).map((mount) => bindText(mount, nameOf(mounts, mount)))),
    ContainerIDFile: "",
    LogConfig: { Type: logDriver(spec), Config: spec.logging?.options ?? {} },
    NetworkMode: networkMode?.kind === "container" ? `container:${networkMode.container}` : mode,
    PortBindings: portBindings(spec),
    RestartPolicy: { Name: restart?.policy ?? "no", MaximumRetryCount: restart?.maxRetries ?? 0 },
    AutoRemove: spec.autoRemove === true,
    VolumeDriver: "",
    VolumesFrom: orNull(spec.volumesFrom?.map(({ container, readOnly }) => `${container}${readOnly ? ":ro" : ""}`)),
    ConsoleSize: [0, 0],
    Annotations: spec.annotations ?? {},
    CapAdd: orNull(spec.capAdd),
    CapDrop: orNull(spec.capDrop),
    CgroupnsMode: namespaceMode(spec.cgroup) || "private",
    Dns: orNull(spec.dns),
    DnsOptions: orNull(spec.dnsOptions),
    DnsSearch: orNull(spec.dnsSearch),
    ExtraHosts: orNull(spec.extraHosts?.map(({ host, ip }) => `${host}:${ip}`)),
    GroupAdd: orNull(spec.groupAdd),
    IpcMode: namespaceMode(ipc) || "private",
    Cgroup: "",
    Links: orNull(spec.links?.flatMap(({ container, names }) => names.map((name) => `${container}:${name}`))),
    OomScoreAdj: spec.oomScoreAdj ?? 0,
    PidMode: namespaceMode(pid),
    Privileged: spec.privileged === true,
    PublishAllPorts: false,
    ReadonlyRootfs: spec.readOnly === true,
    SecurityOpt: orNull(spec.securityOpt),
    StorageOpt: null,
    UTSMode: namespaceMode(uts),
    UsernsMode: "",
    ShmSize: spec.shmSizeBytes ?? 64 << 20,
    Sysctls: spec.sysctls ?? null,
    Runtime: spec.runtime ?? "",
    Isolation: "",
    ...limits(resources),
    CgroupParent: spec.cgroupParent ?? "",
    Devices: orNull(
      spec.devices?.map(({ source, target, permissions }) => ({
        PathOnHost: source,
        PathInContainer: target,
        CgroupPermissions: permissions,
      })),
    ),
    DeviceCgroupRules: orNull(spec.deviceCgroupRules),
    DeviceRequests: orNull(
      spec.cdiDevices === undefined || spec.cdiDevices.length === 0
        ? []
        : [{ Driver: "cdi", Count: 0, DeviceIDs: spec.cdiDevices, Capabilities: null, Options: null }],
    ),
    Ulimits: (spec.ulimits ?? []).map(({ name, hard, soft }) => ({ Name: name, Hard: hard, Soft: soft })),
    Mounts: orNull([...(spec.mounts ?? []).filter((mount) => !isBind(mount)).map(mountRequest), ...fileRequests(spec)]),
    Init: spec.init ?? null,
    MaskedPaths: spec.privileged === true ? null : MASKED_PATHS,
    ReadonlyPaths: spec.privileged === true ? null : READONLY_PATHS,
  };
}

function limits(resources: Resources): object {
  const throttle = (kind: string) =>
    orNull(
      resources.blkioThrottle?.filter((one) => one.kind === kind).map(({ path, rate }) => ({ Path: path, Rate: rate })),
    );
  return {
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memoryBytes ?? 0,
    NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: orNull(resources.blkioWeightDevice?.map(({ path, weight }) => ({ Path: path, Weight: weight }))),
    BlkioDeviceReadBps: throttle("readBps"),
    BlkioDeviceWriteBps: throttle("writeBps"),
    BlkioDeviceReadIOps: throttle("readIops"),
    BlkioDeviceWriteIOps: throttle("writeIops"),
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpuRealtimePeriod: resources.cpuRealtimePeriodUs ?? 0,
    CpuRealtimeRuntime: resources.cpuRealtimeRuntimeUs ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    MemorySwappiness: resources.memorySwappiness ?? null,
    OomKillDisable: resources.oomKillDisable ?? null,
    PidsLimit: resources.pidsLimit ?? null,
  };
}

/** In docker's words: its own driver keeps what ours keeps. */
function logDriver({ logging }: ContainerSpec): string {
  const driver = logging?.driver ?? "";
  return driver === "" || driver === "k8s-file" ? "json-file" : driver;
}

function namespaceMode(mode: NamespaceMode | undefined): string {
  return mode === undefined ? "" : mode.kind === "container" ? `container:${mode.container}` : mode.kind;
}

function portBindings({ ports = [] }: ContainerSpec): object {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: hostIp, HostPort: hostPort === 0 ? "" : String(hostPort) }];
  }
  return openMap(map);
}

/** docker compose asks for these as `SOURCE:TARGET:MODE`, for all others as mounts. */
function isBind(mount: MountSpec): boolean {
  return (
    (mount.type === "bind" && mount.createHostPath === true && mount.recursive === undefined) ||
    (mount.type === "volume" && mount.source !== "" && mount.subpath === undefined)
  );
}

/** A volume's real name, of a bind the folder. */
function nameOf(mounts: readonly ResolvedMount[], mount: MountSpec): string {
  const resolved = mounts.find(({ target }) => target === mount.target);
  return (mount.type === "volume" ? resolved?.name : resolved?.source) || ("source" in mount ? mount.source : "");
}

function bindMode(mount: MountSpec): string {
  if (mount.type !== "bind" && mount.type !== "volume") return "";
  return [
    mount.readOnly === true ? "ro" : "rw",
    ...(mount.type === "bind"
      ? [mount.selinux ?? "", mount.propagation ?? ""]
      : [mount.noCopy === true ? "nocopy" : ""]),
  ]
    .filter((word) => word !== "")
    .join(",");
}

const bindText = (mount: MountSpec, source: string): string => `${source}:${mount.target}:${bindMode(mount)}`;

function mountRequest(mount: MountSpec): object {
  return {
    Type: mount.type,
    ...("source" in mount && mount.source !== "" ? { Source: mount.source } : {}),
    Target: mount.target,
    ...("readOnly" in mount && mount.readOnly === true ? { ReadOnly: true } : {}),
    ...(mount.type === "bind" && mount.propagation !== undefined
      ? { BindOptions: { Propagation: mount.propagation } }
      : {}),
    ...(mount.type === "volume"
      ? { VolumeOptions: { NoCopy: mount.noCopy === true, Labels: mount.labels ?? null } }
      : {}),
    ...(mount.type === "tmpfs" ? { TmpfsOptions: { SizeBytes: mount.sizeBytes ?? 0, Mode: mount.mode ?? 0 } } : {}),
  };
}

/** Secrets and configs that are files of the host. */
function fileRequests({ files = [] }: ContainerSpec): object[] {
  return files.flatMap(({ sourcePath, target }) =>
    sourcePath === undefined ? [] : [{ Type: "bind", Source: sourcePath, Target: target, ReadOnly: true }],
  );
}

/** What is mounted in the container, secrets and configs of files included. */
export function mountPoints({ mounts, spec }: ContainerInfo): object[] {
  const points = mounts.map((mount) => {
    const asked = spec.mounts?.find(({ target }) => target === mount.target);
    const mode = asked !== undefined && isBind(asked) ? bindMode(asked) : "";
    return {
      Type: mount.type,
      ...(mount.name === "" ? {} : { Name: mount.name }),
      Source: mount.source,
      Destination: mount.target,
      ...(mount.type === "volume" ? { Driver: "local" } : {}),
      // a volume that was asked for without a mode
      Mode: mode === "" && mount.type === "volume" && asked !== undefined ? "z" : mode,
      RW: !mount.readOnly,
      Propagation: mount.type === "bind" ? (asked?.type === "bind" ? asked.propagation : undefined) || "rprivate" : "",
    };
  });
  const files = (spec.files ?? []).flatMap(({ sourcePath, target }) =>
    sourcePath === undefined
      ? []
      : [{ Type: "bind", Source: sourcePath, Destination: target, Mode: "", RW: false, Propagation: "rprivate" }],
  );
  return [...points, ...files];
}
