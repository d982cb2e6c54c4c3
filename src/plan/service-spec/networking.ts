/** Networks, ports, names and DNS of a service. Pure. */
import type { Port, Service, ServiceNetwork } from "../../compose/model.js";
import type { ContainerSpec, NetworkAttachment, NetworkMode, PortMapping } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import { containerName, networkName, scaleOf } from "../names.js";
import { joinedContainer } from "./namespaces.js";
import { invalid } from "./service-error.js";
import type { SpecRequest } from "./values.js";

/** Everything about the network side of the spec. */
export function networkFields(request: SpecRequest, config: Service): Partial<ContainerSpec> {
  const mode = networkMode(request, config);
  const attachments = mode === undefined ? networkAttachments(request, config) : [];
  const shared = mode?.kind === "container" || mode?.kind === "host" || mode?.kind === "none";
  const ports = portMappings(request, config);
  if (shared && ports.length > 0 && mode?.kind !== "container") {
    request.warn(
      `service "${request.service}": published ports are discarded with network_mode ${config.network_mode}`,
    );
  }
  const links = shared ? [] : linkedContainers(request, config);
  return {
    ...given({ networkMode: mode }),
    networks: attachments,
    ports: shared ? [] : ports,
    ...given({
      expose: config.expose?.flatMap(eachPort),
      dns: config.dns,
      dnsSearch: config.dns_search,
      dnsOptions: config.dns_opt,
    }),
    extraHosts: extraHosts(request.service, config),
    ...given({ links: links.length > 0 ? links : undefined }),
  };
}

function networkMode(request: SpecRequest, config: Service): NetworkMode | undefined {
  const text = config.network_mode;
  if (text === undefined || text === "") return undefined;
  if (text === "host" || text === "none") return { kind: text };
  if (text === "bridge" || text === "default" || text === "private") return { kind: "bridge" };
  const container = joinedContainer(text, "network namespace", request.containerOf);
  if (container === undefined) throw invalid(request.service, "network_mode", text);
  return { kind: "container", container };
}

/** The networks of a service by connect order: priority, then name. Without any it has none (the loader adds `default`). */
function networkAttachments(request: SpecRequest, config: Service): NetworkAttachment[] {
  const { project, service, number } = request;
  const names = Object.keys(config.networks ?? {});
  names.sort((a, b) => priority(config, b) - priority(config, a) || (a < b ? -1 : 1));
  const own = containerName(project.name, service, config, number, request.separator);
  return names.map((key, index) => {
    const network: ServiceNetwork = config.networks?.[key] ?? {};
    const mac = network.mac_address ?? (index === 0 ? config.mac_address : undefined);
    return {
      network: networkName(project, key, project.networks[key]),
      aliases: [...new Set([own, service, ...(network.aliases ?? [])])],
      ...given({
        ipv4: network.ipv4_address,
        ipv6: network.ipv6_address,
        linkLocalIps: network.link_local_ips,
        mac: mac ?? podmanText(network["x-podman.mac_address"]),
        interfaceName: network.interface_name ?? podmanText(network["x-podman.interface_name"]),
        driverOpts: network.driver_opts,
        priority: network.priority,
        gatewayPriority: network.gw_priority,
      }),
    };
  });
}

function podmanText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * `links` and `external_links`: names that only this container sees, as docker's links do. Each container of a linked service
 * answers to the alias, the service's name and its own.
 */
function linkedContainers(request: SpecRequest, config: Service): { container: string; names: string[] }[] {
  const { project, separator } = request;
  const internal = (config.links ?? []).flatMap((link) => {
    const [target = "", alias = target] = link.split(":");
    const linked = project.services[target];
    if (linked === undefined) return [];
    return Array.from({ length: scaleOf(linked) }, (_, index) => {
      const container = containerName(project.name, target, linked, index + 1, separator);
      return { container, names: [...new Set([alias, target, container])] };
    });
  });
  const external = (config.external_links ?? []).map((link) => {
    const [container = "", alias = container] = link.split(":");
    return { container, names: [...new Set([alias, container])] };
  });
  return [...internal, ...external];
}

function priority(config: Service, network: string): number {
  return config.networks?.[network]?.priority ?? 0;
}

function portMappings(request: SpecRequest, config: Service): PortMapping[] {
  return (config.ports ?? []).map((port) => portMapping(request, port));
}

function portMapping(request: SpecRequest, port: Port): PortMapping {
  const { service } = request;
  const protocol = port.protocol ?? "tcp";
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp")
    throw invalid(service, "ports.protocol", protocol);
  if (port.target === undefined) throw invalid(service, "ports.target", "");
  const hostIp = port.host_ip ?? "";
  return { containerPort: port.target, hostPort: hostPort(request, port, protocol, hostIp), protocol, hostIp };
}

function hostPort(request: SpecRequest, port: Port, protocol: string, hostIp: string): number {
  const text = port.published ?? "";
  if (text === "" || text === "0") return 0;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const from = Number(match?.[1] ?? Number.NaN);
  const to = match?.[2] === undefined ? from : Number(match[2]);
  if (!(from > 0 && to >= from && to <= 65535)) throw invalid(request.service, "ports.published", text);
  if (to === from) return from;
  return request.choosePort?.({ from, to, protocol, hostIp }) ?? from;
}

/** `host=address` entries (`host:address` too); an address in brackets is IPv6. */
function extraHosts(service: string, config: Service): { host: string; ip: string }[] {
  return (config.extra_hosts ?? []).map((entry) => {
    const match = /^([^=:]+)[=:](.+)$/.exec(entry);
    if (match?.[1] === undefined || match[2] === undefined) throw invalid(service, "extra_hosts", entry);
    return { host: match[1], ip: match[2].replace(/^\[(.*)\]$/, "$1") };
  });
}

/** `7000-7002/udp` as three ports; what is no range stays. */
function eachPort(text: string): string[] {
  const [, first, last, protocol = ""] = /^(\d{1,5})-(\d{1,5})(\/\w+)?$/.exec(text) ?? [];
  if (first === undefined || Number(last) > 65535) return [text];
  return Array.from(
    { length: Math.max(0, Number(last) - Number(first) + 1) },
    (_, index) => `${Number(first) + index}${protocol}`,
  );
}
