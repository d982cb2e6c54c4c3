/** A container as docker's `inspect` shows it, so that templates and scripts written for it read it. Pure. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { ContainerInfo, NetworkEndpoint } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import { hostConfig, mountPoints } from "./inspect-host-config.js";
import { exposed, healthcheck, NO_TIME, orNull, withProtocol } from "./inspect-values.js";
import { openMap } from "./template.js";

/**
 * docker's container object; `networkIds` are the ids of networks by name, `donors` those of containers by what the spec calls them. `Spec` is what the engine was asked for, in its own words.
 */
export function inspectContainer(
  info: ContainerInfo,
  networkIds: ReadonlyMap<string, string>,
  donors: ReadonlyMap<string, string>,
): object {
  const { spec, state } = info;
  const [path = "", ...args] = info.argv;
  const isRunning = state === "running" || state === "paused";
  const folder = dirname(info.logPath);
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
    ResolvConfPath: join(folder, "resolv.conf"),
    HostnamePath: join(folder, "hostname"),
    HostsPath: join(folder, "hosts"),
    LogPath: info.logPath,
    Name: `/${info.name}`,
    RestartCount: info.restartCount,
    Platform: "linux",
    MountLabel: info.mountLabel ?? "",
    ProcessLabel: info.processLabel ?? "",
    AppArmorProfile: info.apparmorProfile ?? "",
    ExecIDs: null,
    HostConfig: hostConfig(info, donors),
    Mounts: mountPoints(info),
    Config: config(info),
    NetworkSettings: {
      Ports: portMap(info),
      Networks: openMap(Object.fromEntries(endpoints(info, networkIds))),
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

/** What was asked for over what the image says. */
function config({ id, spec, image, ports, healthcheck: check, ...info }: ContainerInfo): object {
  const hasOwnEntrypoint = spec.entrypoint !== undefined && spec.entrypoint.length > 0;
  const hasOwnCommand = spec.command !== undefined && spec.command.length > 0;
  const volumes = [
    ...(image?.volumes ?? []),
    ...info.mounts.filter(({ anonymous }) => anonymous).map(({ target }) => target),
  ];
  return {
    Hostname: spec.hostname ?? id.slice(0, 12),
    Domainname: spec.domainname ?? "",
    User: spec.user ?? image?.user ?? "",
    AttachStdin: spec.stdinOnce === true,
    AttachStdout: true,
    AttachStderr: true,
    ExposedPorts: exposed([
      ...ports.map((port) => `${port.containerPort}/${port.protocol}`),
      ...(spec.ports ?? []).map((port) => `${port.containerPort}/${port.protocol}`),
      ...(spec.expose ?? []),
      ...(image?.exposedPorts ?? []),
    ]),
    Tty: spec.tty === true,
    OpenStdin: spec.stdinOpen === true,
    StdinOnce: spec.stdinOnce === true,
    Env: environment(spec.env ?? {}, image?.env ?? []),
    Cmd: hasOwnCommand || hasOwnEntrypoint ? orNull(spec.command) : orNull(image?.command),
    ...(check === undefined ? {} : { Healthcheck: healthcheck(check) }),
    Image: info.imageName || spec.image,
    Volumes: volumes.length === 0 ? null : Object.fromEntries(volumes.map((target) => [target, {}])),
    WorkingDir: spec.workingDir ?? image?.workingDir ?? "",
    Entrypoint: orNull(spec.entrypoint ?? image?.entrypoint),
    OnBuild: orNull(image?.onBuild),
    Labels: openMap(info.labels),
    ...(spec.stopSignal !== undefined || (image?.stopSignal ?? "") !== ""
      ? { StopSignal: spec.stopSignal ?? image?.stopSignal }
      : {}),
    ...(spec.stopTimeoutMs === undefined ? {} : { StopTimeout: Math.ceil(spec.stopTimeoutMs / 1000) }),
    ...(image === undefined || image.shell.length === 0 ? {} : { Shell: image.shell }),
  };
}

/** The service's variables, then those of the image that it does not set. */
function environment(own: Readonly<Record<string, string | null>>, image: readonly string[]): readonly string[] {
  const asked = Object.entries(own).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
  return [...asked, ...image.filter((line) => !Object.hasOwn(own, line.split("=", 1)[0] ?? ""))];
}

const NO_ENDPOINT: Omit<NetworkEndpoint, "network"> = {
  interfaceName: "",
  ipv4: "",
  ipv4PrefixLength: 0,
  gateway: "",
  ipv6: "",
  ipv6PrefixLength: 0,
  ipv6Gateway: "",
  mac: "",
  aliases: [],
};

/** Every network it is on or will be on when it runs. */
function endpoints(info: ContainerInfo, networkIds: ReadonlyMap<string, string>): [string, object][] {
  const asked = info.spec.networks ?? [];
  const names = new Set([...asked.map(({ network }) => network), ...info.networks.map(({ network }) => network)]);
  return [...names].map((network) => {
    const endpoint = info.networks.find((one) => one.network === network);
    const wanted = asked.find((one) => one.network === network);
    const { mac, gateway, ipv4, ipv4PrefixLength, ipv6Gateway, ipv6, ipv6PrefixLength } = endpoint ?? NO_ENDPOINT;
    const aliases = endpoint?.aliases ?? wanted?.aliases ?? [];
    const shown = {
      IPAMConfig: ipamConfig(wanted),
      Links: null,
      Aliases: orNull(aliases),
      MacAddress: mac,
      DriverOpts: wanted?.driverOpts ?? null,
      GwPriority: wanted?.gatewayPriority ?? 0,
      NetworkID: networkIds.get(network) ?? "",
      EndpointID: endpoint === undefined ? "" : createHash("sha256").update(`${info.id} ${network}`).digest("hex"),
      Gateway: gateway,
      IPAddress: ipv4,
      IPPrefixLen: ipv4PrefixLength,
      IPv6Gateway: ipv6Gateway,
      GlobalIPv6Address: ipv6,
      GlobalIPv6PrefixLen: ipv6PrefixLength,
      DNSNames: endpoint === undefined ? null : [...new Set([info.name, ...aliases, info.id.slice(0, 12)])],
    };
    return [network, shown];
  });
}

function ipamConfig(
  wanted: { readonly ipv4?: string; readonly ipv6?: string; readonly linkLocalIps?: readonly string[] } | undefined,
): object | null {
  if (wanted?.ipv4 === undefined && wanted?.ipv6 === undefined && wanted?.linkLocalIps === undefined) return null;
  return {
    ...given({
      IPv4Address: wanted.ipv4,
      IPv6Address: wanted.ipv6,
      LinkLocalIPs: wanted.linkLocalIps,
    }),
  };
}

/** `80/tcp` → where it is published, null for a port that is only exposed. */
function portMap({ ports, spec, image }: ContainerInfo): object {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: hostIp || "0.0.0.0", HostPort: String(hostPort) }];
  }
  for (const port of [...(spec.expose ?? []), ...(image?.exposedPorts ?? [])]) map[withProtocol(port)] ??= null;
  return openMap(map);
}
