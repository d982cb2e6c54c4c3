/** The row of a container on a network, from what was decided: what CNI, names, ports and rules are made from. Pure. */
import { isIP } from "node:net";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import type { EndpointRecord, ReservedPort } from "../state/endpoints.js";
import type { NetworkEndpoint, PortMapping } from "../types.js";
import { formatAddress, parseAddress } from "./addresses.js";
import type { Assigned } from "./assign.js";
import { type AssignedAddress, fillConflist } from "./conflist.js";
import { conflistOf } from "./networks.js";
import type { PlannedAttachment } from "./plan-attachments.js";
import { servedNames } from "./served-names.js";

/** A container with all the networks that it joins at once, and the ports that were claimed for it. */
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

/** What is decided about one endpoint. */
export interface Decided {
  readonly request: ReserveRequest;
  readonly plan: PlannedAttachment;
  readonly assigned: Assigned;
  /** "" for the kernel's. */
  readonly mac: string;
  readonly ports: readonly ReservedPort[];
  readonly bootId: string;
  readonly owner: ProcessIdentity;
  readonly rootless: boolean;
}

/** The row, in phase `adding`. `TSC_DNS_NAME` for an alias. */
export function endpointRow(decided: Decided): EndpointRecord {
  const { request, plan, mac, ports, bootId, owner, rootless } = decided;
  const { network, attachment } = plan;
  const { ipv4, ipv6 } = decided.assigned;
  const isUser = network.settings.source === "user";
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
  return {
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
      ports: ports,
      conflist: JSON.stringify(list),
      args: [
        "IgnoreUnknown=1",
        `K8S_POD_NAME=${request.containerName}`,
        ...(wanted.length === 1 ? [`IP=${wanted[0]}`] : []),
        ...(mac === "" ? [] : [`MAC=${mac}`]),
      ].join(";"),
      capabilityArgs: {
        ...(ports.length === 0 ? {} : { portMappings: ports.flatMap((port) => portArgument(port, rootless)) }),
        ...(mac === "" ? {} : { mac }),
        ...(wanted.length > 1 ? { ips: wanted } : {}),
        ...(aliases.length === 0 ? {} : { aliases: { [network.name]: aliases } }),
      },
    },
  };
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
