/** The subnets of a network to be made, from what was asked for and what is taken here. Changes nothing. */
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { listNetworks } from "../state/networks.js";
import type { NetworkSpec, NetworkSubnet } from "../types.js";
import { formatPrefix, type Prefix, parsePrefix } from "./addresses.js";
import type { NetworkDriver } from "./drivers/index.js";
import type { Site } from "./site.js";
import { checkFree, completeSubnet, hostRoutes, pickSubnet4, pickSubnet6 } from "./subnets.js";

/** A network to be made, and where: what its subnets are chosen from. */
export interface Making {
  readonly ctx: EngineContext;
  readonly site: Site;
  readonly spec: NetworkSpec;
  readonly driver: NetworkDriver;
  /** Name of its bridge, or "". */
  readonly bridge: string;
}

/**
 * The subnets given, checked, and one for every family that has none. `TSC_NETWORK_SUBNET_INVALID`, `TSC_NETWORK_SUBNET_TAKEN`,
 * `TSC_NETWORK_POOL_EMPTY`, `TSC_INTERFACE_TAKEN` when the bridge is another network's. Call inside a transaction.
 */
export function chooseSubnets({ ctx, site, spec, driver, bridge }: Making): NetworkSubnet[] {
  const isDefaultRoot = ctx.paths.root === "/var/lib/tscompose" || ctx.rootless;
  const taken: { prefix: Prefix; owner: string }[] = [];
  for (const other of listNetworks(ctx.state)) {
    if (other.settings.bridge !== "" && other.settings.bridge === bridge) {
      // Not TSC_NETWORK_EXISTS: whoever loses a race for a network's name may go on with the winner's.
      throw new TscError("TSC_INTERFACE_TAKEN", `bridge ${bridge} belongs to network ${other.name}`, {
        kind: "conflict",
      });
    }
    for (const { subnet } of other.settings.subnets)
      taken.push({ prefix: parsePrefix(subnet), owner: `network ${other.name}` });
  }
  for (const prefix of hostRoutes()) taken.push({ prefix, owner: "a route of this machine" });
  for (const subnet of site.reserved) taken.push({ prefix: parsePrefix(subnet), owner: "the rootless uplink" });
  // as docker does: the pools of a family that is switched off are not used
  const off = [spec.enableIpv4 === false ? 4 : undefined, spec.enableIpv6 === false ? 6 : undefined];
  const given = (spec.subnets ?? [])
    .map(completeSubnet)
    .filter(({ subnet }) => !off.includes(parsePrefix(subnet).family));
  for (const [index, subnet] of given.entries()) {
    const before = given
      .slice(0, index)
      .map((other) => ({ prefix: parsePrefix(other.subnet), owner: `network ${spec.name} itself` }));
    checkFree(subnet, driver.subnets === "pool" ? [...taken, ...before] : before);
  }
  const subnets = [...given];
  const prefixes = [...taken.map((entry) => entry.prefix), ...given.map((subnet) => parsePrefix(subnet.subnet))];
  const has = (family: 4 | 6): boolean => given.some((subnet) => parsePrefix(subnet.subnet).family === family);
  if (spec.enableIpv4 !== false && !has(4)) {
    if (driver.subnets !== "pool") {
      throw new TscError("TSC_NETWORK_SUBNET_INVALID", `network ${spec.name}: driver ${driver.name} needs a subnet`, {
        kind: "invalid-input",
        hint: "give the parent interface's subnet and gateway in ipam.config",
      });
    }
    subnets.unshift(
      completeSubnet({ subnet: formatPrefix(pickSubnet4(prefixes, isDefaultRoot ? "" : ctx.paths.root)) }),
    );
  }
  if (spec.enableIpv6 === true && !has(6))
    subnets.push(completeSubnet({ subnet: formatPrefix(pickSubnet6(prefixes)) }));
  return subnets;
}
