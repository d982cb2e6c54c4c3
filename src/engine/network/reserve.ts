/** Decides what a container gets (addresses, interface names, default route, ports) and writes it down before anything is done. Synchronous. */
import { isIP } from "node:net";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { hasSetting } from "../../kernel/proc.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import {
  dropOrphanReservations,
  type EndpointRecord,
  endpointOf,
  isLive,
  publishedPorts,
  type ReservedPort,
  saveEndpoint,
  takenAddresses,
} from "../state/endpoints.js";
import { addressCursor, findNetwork, type NetworkRecord, setAddressCursor } from "../state/networks.js";
import type { NetworkAttachment, NetworkEndpoint, PortMapping } from "../types.js";
import { formatAddress, macOf, parseAddress, parsePrefix } from "./addresses.js";
import { allocateAddress, isIn } from "./allocate.js";
import { type AssignedAddress, fillConflist } from "./conflist.js";
import { checkInterfaceName, checkMac } from "./names.js";
import { networkNotFound } from "./network-bridge.js";
import { conflistOf } from "./networks.js";
import { clash, portTaken } from "./ports.js";
import { servedNames } from "./served-names.js";

const MAC_OPTION = "com.docker.network.endpoint.macaddress";

/** One network of a request, checked. */
export interface PlannedAttachment {
  readonly attachment: NetworkAttachment;
  readonly network: NetworkRecord;
  readonly ifName: string;
  /** Families this network gives the default route for. */
  readonly defaultRoutes: readonly (4 | 6)[];
  /** Publishes the container's ports. */
  readonly primary: boolean;
}

/** Interface order is by priority; the default route goes to the highest gateway priority, internal networks last. */
export function planAttachments(
  attachments: readonly { readonly attachment: NetworkAttachment; readonly network: NetworkRecord }[],
): PlannedAttachment[] {
  const ordered = [...attachments].sort((a, b) => (b.attachment.priority ?? 0) - (a.attachment.priority ?? 0));
  const used = new Set<string>();
  for (const { attachment } of ordered) {
    const name = attachment.interfaceName;
    if (name === undefined || name === "") continue;
    checkInterfaceName(name);
    if (used.has(name))
      throw new TscError("TSC_INTERFACE_NAME", `interface name ${name} is used twice`, { kind: "invalid-input" });
    used.add(name);
  }
  const byGateway = [...ordered].sort(
    (a, b) =>
      Number(a.network.settings.internal) - Number(b.network.settings.internal) ||
      (b.attachment.gatewayPriority ?? 0) - (a.attachment.gatewayPriority ?? 0),
  );
  const candidates = byGateway.filter(({ network }) => !network.settings.internal);
  const gives = (network: NetworkRecord, family: 4 | 6): boolean =>
    network.settings.source === "user" ||
    network.settings.subnets.some(({ subnet }) => subnet.includes(":") === (family === 6));
  const gateway = { 4: candidates.find((c) => gives(c.network, 4)), 6: candidates.find((c) => gives(c.network, 6)) };
  let next = 0;
  return ordered.map((entry) => {
    let ifName = entry.attachment.interfaceName ?? "";
    if (ifName === "") {
      do ifName = `eth${next++}`;
      while (used.has(ifName));
      used.add(ifName);
    }
    return {
      ...entry,
      ifName,
      defaultRoutes: ([4, 6] as const).filter((family) => gateway[family] === entry),
      primary: entry === byGateway[0],
    };
  });
}

export interface ReserveRequest {
  readonly containerId: string;
  readonly containerName: string;
  /** May be empty. */
  readonly hostname: string;
  readonly netnsPath: string;
  readonly dns: readonly string[];
  readonly planned: readonly PlannedAttachment[];
  readonly ports: readonly PortMapping[];
}

/** Two host addresses may publish one port; inside the shared namespace each needs a port of its own. */
function innerPorts(ports: readonly PortMapping[], published: readonly ReservedPort[]): ReservedPort[] {
  const used = new Set(published.map((port) => `${port.protocol}/${port.innerPort ?? port.hostPort}`));
  return ports.map((port) => {
    // slirp4netns forwards none of IPv6; neighbours ask for the number itself
    if (isIP(port.hostIp) === 6) return { ...port, innerPort: port.hostPort };
    let inner = port.hostPort;
    if (used.has(`${port.protocol}/${inner}`)) {
      inner = 49152;
      while (used.has(`${port.protocol}/${inner}`)) inner++;
    }
    used.add(`${port.protocol}/${inner}`);
    return { ...port, innerPort: inner };
  });
}

function assign(
  ctx: EngineContext,
  network: NetworkRecord,
  request: { containerId: string; attachment: NetworkAttachment },
  previous: EndpointRecord | undefined,
): { ipv4: AssignedAddress | undefined; ipv6: AssignedAddress | undefined } {
  const { state } = ctx;
  const others = takenAddresses(state, network.name).filter((row) => row.containerId !== request.containerId);
  const taken = new Map<string, string>();
  for (const row of others) {
    const holder = `container ${row.containerName}`;
    if (row.ipv4 !== "") taken.set(row.ipv4, holder);
    if (row.ipv6 !== "") taken.set(row.ipv6, holder);
  }
  const one = (family: 4 | 6, wanted: string, before: string): AssignedAddress | undefined => {
    const subnets = network.settings.subnets.filter(({ subnet }) => subnet.includes(":") === (family === 6));
    if (subnets.length === 0) {
      if (wanted === "") return undefined;
      throw new TscError(
        "TSC_ADDRESS_OUTSIDE",
        `address ${wanted}: network ${network.name} has no IPv${family} subnet`,
        { kind: "invalid-input" },
      );
    }
    const fitting = wanted === "" ? subnets : subnets.filter((subnet) => isIn(subnet, wanted));
    let full: unknown;
    for (const subnet of fitting.length === 0 ? subnets : fitting) {
      try {
        const cursor = addressCursor(state, network.name, subnet.subnet) ?? "";
        const text = allocateAddress({ network: network.name, subnet, taken, wanted, previous: before, cursor });
        if (wanted === "" && text !== before) setAddressCursor(state, network.name, subnet.subnet, text);
        return { address: `${text}/${parsePrefix(subnet.subnet).bits}`, gateway: subnet.gateway ?? "" };
      } catch (error) {
        full = error;
      }
    }
    throw full;
  };
  return {
    ipv4: one(4, request.attachment.ipv4 ?? "", previous?.endpoint.ipv4 ?? ""),
    ipv6: one(6, request.attachment.ipv6 ?? "", previous?.endpoint.ipv6 ?? ""),
  };
}

/**
 * One transaction: ports are checked against every other container, addresses chosen, rows written with phase `adding`.
 * `TSC_PORT_TAKEN`, `TSC_ADDRESS_TAKEN`, `TSC_NETWORK_FULL`, `TSC_NETWORK_NOT_FOUND` (removed meanwhile).
 */
export function reserve(ctx: EngineContext, request: ReserveRequest): EndpointRecord[] {
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();
  const owner: ProcessIdentity = kernel.processIdentity(process.pid) ?? { pid: process.pid, startTime: "" };
  for (const server of request.dns) parseAddress(server);
  return state.transaction(() => {
    const published = publishedPorts(state, bootId).filter((entry) => entry.containerId !== request.containerId);
    for (const [index, port] of request.ports.entries()) {
      const holder = published.find((entry) => clash(entry.port, port));
      if (holder !== undefined) throw portTaken(port, `container ${holder.containerName}`);
      if (request.ports.slice(0, index).some((other) => clash(other, port)))
        throw portTaken(port, `container ${request.containerName}`);
    }
    const ports: readonly ReservedPort[] = ctx.rootless
      ? innerPorts(
          request.ports,
          published.map((entry) => entry.port),
        )
      : request.ports;
    return request.planned.map((plan) => {
      const { network, attachment } = plan;
      if (findNetwork(state, network.name)?.id !== network.id) {
        throw networkNotFound(network.name);
      }
      const wantedMac = attachment.mac ?? attachment.driverOpts?.[MAC_OPTION] ?? "";
      if (wantedMac !== "") checkMac(wantedMac);
      for (const option of Object.keys(attachment.driverOpts ?? {})) {
        if (option !== MAC_OPTION)
          ctx.warn(`network ${network.name}: endpoint option ${printable(option, 100)} is not known and has no effect`);
      }
      const isUser = network.settings.source === "user";
      const previous = endpointOf(state, request.containerId, network.name);
      if (previous !== undefined && isLive(previous, bootId)) {
        throw new TscError(
          "TSC_NETWORK_ALREADY_CONNECTED",
          `container ${request.containerName} is on network ${network.name} already`,
          {
            kind: "already-exists",
          },
        );
      }
      dropOrphanReservations(state, network.name, bootId);
      const { ipv4, ipv6 } = isUser
        ? { ipv4: undefined, ipv6: undefined }
        : assign(ctx, network, { containerId: request.containerId, attachment }, previous);
      const address = ipv4 ?? ipv6;
      const isBridged = network.settings.driver === "bridge" && address !== undefined;
      const mac = wantedMac === "" && isBridged ? macOf(address.address) : wantedMac;
      const ownPorts = plan.primary ? ports : [];
      const extra = (attachment.linkLocalIps ?? []).map((text) => {
        const address = parseAddress(text);
        return { address: `${formatAddress(address)}/${address.family === 4 ? 16 : 64}`, gateway: "" };
      });
      const base = conflistOf(network);
      const list = isUser
        ? base
        : fillConflist(base, [...[ipv4, ipv6].filter((a) => a !== undefined), ...extra], {
            defaultRoutes: plan.defaultRoutes,
          });
      const split = (assigned: AssignedAddress | undefined): { ip: string; bits: number; gateway: string } => ({
        ip: assigned?.address.split("/")[0] ?? "",
        bits: Number(assigned?.address.split("/")[1] ?? 0),
        gateway: assigned?.gateway ?? "",
      });
      const four = split(ipv4);
      const six = split(ipv6);
      const aliases = [...(attachment.aliases ?? [])];
      const endpoint: NetworkEndpoint = {
        network: network.name,
        interfaceName: plan.ifName,
        ipv4: four.ip,
        ipv4PrefixLength: four.bits,
        gateway: four.gateway,
        ipv6: six.ip,
        ipv6PrefixLength: six.bits,
        ipv6Gateway: six.gateway,
        mac,
        aliases,
      };
      const names = servedNames({ ...request, aliases }, network.name);
      const wanted = isUser
        ? [attachment.ipv4 ?? "", attachment.ipv6 ?? ""].flatMap((ip) =>
            ip === "" ? [] : [formatAddress(parseAddress(ip))],
          )
        : [];
      const record: EndpointRecord = {
        containerId: request.containerId,
        network: network.name,
        bootId,
        endpoint,
        cni: {
          phase: "adding",
          owner,
          containerName: request.containerName,
          netnsPath: request.netnsPath,
          ifName: plan.ifName,
          primary: plan.primary,
          dns: request.dns,
          names: network.settings.dns ? names : [],
          ports: ownPorts,
          conflist: JSON.stringify(list),
          args: [
            "IgnoreUnknown=1",
            `K8S_POD_NAME=${request.containerName}`,
            ...(wanted.length === 1 ? [`IP=${wanted[0]}`] : []),
            ...(mac === "" ? [] : [`MAC=${mac}`]),
          ].join(";"),
          capabilityArgs: {
            ...(ownPorts.length === 0
              ? {}
              : { portMappings: ownPorts.flatMap((port) => portArgument(port, ctx.rootless)) }),
            ...(mac === "" ? {} : { mac }),
            ...(wanted.length > 1 ? { ips: wanted } : {}),
            ...(aliases.length === 0 ? {} : { aliases: { [network.name]: aliases } }),
          },
        },
      };
      saveEndpoint(state, record);
      return record;
    });
  });
}

/** Rootless traffic arrives for the uplink's address: the host address is applied where the port is opened, and two of them are one here. */
function portArgument(port: ReservedPort, rootless: boolean): Record<string, unknown>[] {
  if (rootless && isIP(port.hostIp) === 6) return [];
  return [
    {
      hostPort: rootless ? (port.innerPort ?? port.hostPort) : port.hostPort,
      containerPort: port.containerPort,
      protocol: port.protocol,
      hostIP: rootless ? "" : port.hostIp,
    },
  ];
}

/** Sysctls of a fresh namespace: no router advertisements, no IPv6 on IPv4-only networks, low ports for every user. */
export function namespaceSysctls(ipv6: boolean, own: Readonly<Record<string, string>>): Record<string, string> {
  for (const name of Object.keys(own)) {
    if (!/^net\.[A-Za-z0-9_.*/-]+$/.test(name) || name.includes("..")) {
      throw new TscError("TSC_SYSCTL", `sysctl ${JSON.stringify(name)} does not belong to the network namespace`, {
        kind: "invalid-input",
      });
    }
  }
  const hasIpv6 = hasSetting("net/ipv6/conf/default");
  return {
    "net.ipv4.ip_unprivileged_port_start": "0",
    ...(hasIpv6
      ? {
          "net.ipv6.conf.default.accept_ra": "0",
          "net.ipv6.conf.default.accept_dad": "0",
          ...(ipv6 ? {} : { "net.ipv6.conf.default.disable_ipv6": "1" }),
        }
      : {}),
    ...own,
  };
}
