/** What can be wrong with a bridge and with a container's link to it. Pure. */
import type { NetworkLink } from "../../kernel/kernel.js";
import type { EndpointRecord } from "../state/endpoints.js";
import type { NetworkRecord } from "../state/networks.js";
import type { CniResult } from "./cni-types.js";

/** What is wrong with a generated network's bridge, or undefined. */
export function bridgeFault(network: NetworkRecord, links: ReadonlyMap<string, NetworkLink>): string | undefined {
  const { bridge, subnets } = network.settings;
  const link = links.get(bridge);
  if (link === undefined) return `bridge ${bridge} is gone`;
  if (!link.isUp) return `bridge ${bridge} is down`;
  const lost = subnets.find(({ gateway = "" }) => gateway !== "" && !link.addresses.includes(gateway));
  return lost === undefined ? undefined : `bridge ${bridge} has lost its address ${lost.gateway}`;
}

/** The host's end of a container's link to a bridge; undefined for links of another kind. */
export function hostEndOf(record: EndpointRecord, bridge: string): string | undefined {
  const result = record.cni.result as CniResult | undefined;
  return result?.interfaces?.find((entry) => (entry.sandbox ?? "") === "" && entry.name !== bridge)?.name;
}

/** What is wrong with the host's end of a container's link, or undefined. */
export function linkFault(
  record: EndpointRecord,
  bridge: string,
  links: ReadonlyMap<string, NetworkLink>,
): string | undefined {
  const name = hostEndOf(record, bridge);
  if (name === undefined) return undefined;
  const link = links.get(name);
  if (link === undefined) return `link ${name} is gone`;
  if (link.master !== bridge) return `link ${name} is not on bridge ${bridge}`;
  return link.isUp ? undefined : `link ${name} is down`;
}
