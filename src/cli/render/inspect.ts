/** Objects as docker's `inspect` shows them, so that templates and scripts written for it read them. Pure. */
import type { ContainerInfo, Healthcheck, ImageInfo, NetworkInfo, VolumeInfo } from "../../engine/types.js";
import { splitReference } from "./image-rows.js";
import { openMap } from "./template.js";

/** What Go prints for no time. */
const NO_TIME = "0001-01-01T00:00:00Z";

const orNull = <T>(list: readonly T[] | undefined): readonly T[] | null =>
  list === undefined || list.length === 0 ? null : list;

/** docker's container object; `Spec` is what the engine was asked for, in its own words. */
export function inspectContainer(info: ContainerInfo): object {
  const { spec, state } = info;
  const [path = "", ...args] = info.argv;
  const isRunning = state === "running" || state === "paused";
  return {
    Id: info.id,
    Created: info.createdAt,
    Path: path,
    Args: args,
    State: {
      Status: state,
      Running: isRunning,
      Paused: state === "paused",
      Restarting: state === "restarting",
      OOMKilled: info.oomKilled,
      Dead: state === "dead",
      Pid: isRunning ? info.pid : 0,
      ExitCode: isRunning ? 0 : info.exitCode,
      Error: info.error,
      StartedAt: info.startedAt || NO_TIME,
      FinishedAt: info.finishedAt || NO_TIME,
      ...(info.hasHealthcheck ? { Health: health(info) } : {}),
    },
    Image: info.imageId,
    LogPath: info.logPath,
    Name: `/${info.name}`,
    RestartCount: info.restartCount,
    Platform: "linux",
    MountLabel: info.mountLabel ?? "",
    ProcessLabel: info.processLabel ?? "",
    AppArmorProfile: info.apparmorProfile ?? "",
    HostConfig: hostConfig(info),
    Mounts: info.mounts.map((mount) => ({
      Type: mount.type,
      ...(mount.name === "" ? {} : { Name: mount.name }),
      Source: mount.source,
      Destination: mount.target,
      ...(mount.type === "volume" ? { Driver: "local" } : {}),
      Mode: mount.readOnly ? "ro" : "",
      RW: !mount.readOnly,
      Propagation: "",
    })),
    Config: {
      Hostname: spec.hostname ?? info.id.slice(0, 12),
      Domainname: spec.domainname ?? "",
      User: spec.user ?? "",
      ExposedPorts: exposed([
        ...info.ports.map((port) => `${port.containerPort}/${port.protocol}`),
        ...(spec.expose ?? []),
      ]),
      Tty: spec.tty === true,
      OpenStdin: spec.stdinOpen === true,
      StdinOnce: spec.stdinOnce === true,
      Env: Object.entries(spec.env ?? {}).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`])),
      Cmd: spec.command ?? null,
      ...(spec.healthcheck === undefined ? {} : { Healthcheck: healthcheck(spec.healthcheck) }),
      Image: info.imageName || spec.image,
      WorkingDir: spec.workingDir ?? "",
      Entrypoint: spec.entrypoint ?? null,
      Labels: openMap(info.labels),
      ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
      ...(spec.stopTimeoutMs === undefined ? {} : { StopTimeout: Math.ceil(spec.stopTimeoutMs / 1000) }),
    },
    NetworkSettings: {
      Ports: portMap(info),
      Networks: openMap(
        Object.fromEntries(
          info.networks.map((endpoint) => [
            endpoint.network,
            {
              Aliases: orNull(endpoint.aliases),
              MacAddress: endpoint.mac,
              Gateway: endpoint.gateway,
              IPAddress: endpoint.ipv4,
              IPPrefixLen: endpoint.ipv4PrefixLength,
              IPv6Gateway: endpoint.ipv6Gateway,
              GlobalIPv6Address: endpoint.ipv6,
              GlobalIPv6PrefixLen: endpoint.ipv6PrefixLength,
            },
          ]),
        ),
      ),
    },
    // secrets are files with content: only where they go is shown
    Spec: { ...spec, ...(spec.files === undefined ? {} : { files: spec.files.map(({ target }) => ({ target })) }) },
  };
}

function health(info: ContainerInfo): object {
  return {
    Status: info.health,
    FailingStreak: info.healthFailingStreak,
    Log: info.healthLog.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function hostConfig({ spec, ports, networks }: ContainerInfo): object {
  const { resources = {}, restart, networkMode } = spec;
  const mode = networkMode === undefined || networkMode.kind === "bridge" ? (networks[0]?.network ?? "bridge") : "";
  const bindings = ports.map(({ containerPort, protocol, hostIp, hostPort }) => [
    `${containerPort}/${protocol}`,
    [{ HostIp: hostIp, HostPort: String(hostPort) }],
  ]);
  return {
    NetworkMode: networkMode?.kind === "container" ? `container:${networkMode.container}` : mode || networkMode?.kind,
    PortBindings: openMap(Object.fromEntries(bindings)),
    RestartPolicy: { Name: restart?.policy ?? "no", MaximumRetryCount: restart?.maxRetries ?? 0 },
    AutoRemove: spec.autoRemove === true,
    CapAdd: orNull(spec.capAdd),
    CapDrop: orNull(spec.capDrop),
    Dns: orNull(spec.dns),
    DnsOptions: orNull(spec.dnsOptions),
    DnsSearch: orNull(spec.dnsSearch),
    ExtraHosts: orNull(spec.extraHosts?.map(({ host, ip }) => `${host}:${ip}`)),
    GroupAdd: orNull(spec.groupAdd),
    Privileged: spec.privileged === true,
    ReadonlyRootfs: spec.readOnly === true,
    SecurityOpt: orNull(spec.securityOpt),
    ShmSize: spec.shmSizeBytes ?? 64 << 20,
    Runtime: spec.runtime ?? "",
    Memory: resources.memoryBytes ?? 0,
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
    CpuShares: resources.cpuShares ?? 0,
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    PidsLimit: resources.pidsLimit ?? null,
    Ulimits: (spec.ulimits ?? []).map(({ name, hard, soft }) => ({ Name: name, Hard: hard, Soft: soft })),
    Sysctls: spec.sysctls ?? null,
    Init: spec.init ?? null,
    OomScoreAdj: spec.oomScoreAdj ?? 0,
    LogConfig: { Type: spec.logging?.driver ?? "json-file", Config: spec.logging?.options ?? {} },
  };
}

function exposed(ports: readonly string[]): object {
  return openMap(Object.fromEntries(ports.map((port) => [port.includes("/") ? port : `${port}/tcp`, {}])));
}

/** `80/tcp` → where it is published, null for a port that is only exposed. */
function portMap({ ports, spec }: ContainerInfo): object {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: hostIp || "0.0.0.0", HostPort: String(hostPort) }];
  }
  for (const port of spec.expose ?? []) map[port.includes("/") ? port : `${port}/tcp`] ??= null;
  return openMap(map);
}

/** Durations in nanoseconds, as in docker's API. */
function healthcheck(check: Healthcheck): object {
  const nanos = (ms: number | undefined) => (ms === undefined ? 0 : ms * 1e6);
  return {
    Test: check.test,
    Interval: nanos(check.intervalMs),
    Timeout: nanos(check.timeoutMs),
    StartPeriod: nanos(check.startPeriodMs),
    StartInterval: nanos(check.startIntervalMs),
    Retries: check.retries ?? 0,
  };
}

/** docker's network object. */
export function inspectNetwork(info: NetworkInfo, nameOf: (containerId: string) => string): object {
  return {
    Name: info.name,
    Id: info.id,
    Created: info.createdAt,
    Scope: "local",
    Driver: info.driver,
    EnableIPv4: true,
    EnableIPv6: info.ipv6,
    IPAM: {
      Driver: "default",
      Options: null,
      Config: info.subnets.map(({ subnet, gateway, ipRange, auxAddresses }) => ({
        Subnet: subnet,
        ...(ipRange === undefined ? {} : { IPRange: ipRange }),
        ...(gateway === undefined ? {} : { Gateway: gateway }),
        ...(auxAddresses === undefined ? {} : { AuxiliaryAddresses: auxAddresses }),
      })),
    },
    Internal: info.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: openMap(
      Object.fromEntries(
        Object.entries(info.containers).map(([id, endpoint]) => [
          id,
          {
            Name: nameOf(id),
            MacAddress: endpoint.mac,
            IPv4Address: endpoint.ipv4 === "" ? "" : `${endpoint.ipv4}/${endpoint.ipv4PrefixLength}`,
            IPv6Address: endpoint.ipv6 === "" ? "" : `${endpoint.ipv6}/${endpoint.ipv6PrefixLength}`,
          },
        ]),
      ),
    ),
    Options: openMap({
      ...info.options,
      ...(info.bridge === "" ? {} : { "com.docker.network.bridge.name": info.bridge }),
    }),
    Labels: openMap(info.labels),
  };
}

/** docker's volume object. */
export function inspectVolume(info: VolumeInfo): object {
  return {
    CreatedAt: info.createdAt,
    Driver: info.driver,
    Labels: openMap(info.labels),
    Mountpoint: info.mountpoint,
    Name: info.name,
    Options: Object.keys(info.driverOpts).length === 0 ? null : openMap(info.driverOpts),
    Scope: "local",
  };
}

/** docker's image object. */
export function inspectImage(info: ImageInfo): object {
  const { config } = info;
  const last = info.history.at(-1);
  return {
    Id: info.id,
    RepoTags: info.tags.map((name) => {
      const { repository, tag } = splitReference(name);
      return `${repository}:${tag}`;
    }),
    RepoDigests: info.repoDigests.map((name) => name.replace(/^docker\.io\/(library\/)?/, "")),
    Parent: "",
    Comment: last?.comment ?? "",
    Created: info.createdAt,
    Author: last?.author ?? "",
    Config: {
      User: config.user,
      ExposedPorts: config.exposedPorts.length === 0 ? null : exposed(config.exposedPorts),
      Env: config.env,
      Cmd: orNull(config.command),
      ...(config.healthcheck === undefined ? {} : { Healthcheck: healthcheck(config.healthcheck) }),
      Volumes: config.volumes.length === 0 ? null : Object.fromEntries(config.volumes.map((path) => [path, {}])),
      WorkingDir: config.workingDir,
      Entrypoint: orNull(config.entrypoint),
      OnBuild: orNull(config.onBuild),
      Labels: openMap(config.labels),
      ...(config.stopSignal === "" ? {} : { StopSignal: config.stopSignal }),
      ...(config.shell.length === 0 ? {} : { Shell: config.shell }),
    },
    Architecture: info.architecture,
    ...(info.variant === "" ? {} : { Variant: info.variant }),
    Os: info.os,
    Size: info.sizeBytes,
    RootFS: { Type: "layers", Layers: info.diffIds },
    Metadata: { LastTagTime: info.lastTaggedAt ?? NO_TIME },
  };
}
