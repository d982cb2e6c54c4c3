/** What a network is: its settings, subnets and CNI list, from a specification or from a list that a person wrote. Writes nothing. */
import { createHash, randomBytes } from "node:crypto";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { listNetworks, type NetworkRecord, type NetworkSettings } from "../state/networks.js";
import type { NetworkSpec, NetworkSubnet } from "../types.js";
import { formatPrefix, type Prefix, parsePrefix } from "./addresses.js";
import type { CniList } from "./cni-types.js";
import { ENABLE_ICC, generateConflist, isolatesContainers } from "./conflist.js";
import { BRIDGE_NAME, checkInterfaceName } from "./names.js";
import { interfaceTaken } from "./network-bridge.js";
import { BRIDGE_PREFIX } from "./rules.js";
import type { Site } from "./site.js";
import { checkFree, completeSubnet, hostRoutes, pickSubnet4, pickSubnet6 } from "./subnets.js";

const KNOWN_OPTIONS = new Set([
  "mtu",
  "com.docker.network.driver.mtu",
  BRIDGE_NAME,
  ENABLE_ICC,
  "com.docker.network.bridge.enable_ip_masquerade",
  "com.docker.network.bridge.host_binding_ipv4",
  "parent",
  "mode",
  "macvlan_mode",
  "ipvlan_mode",
]);

/** Reads `com.docker.network.driver.mtu` and `mtu`. `TSC_NETWORK_OPTION`. */
function mtuOf(options: Readonly<Record<string, string>>): number {
  const text = options["com.docker.network.driver.mtu"] ?? options["mtu"];
  if (text === undefined) return 0;
  if (!/^\d{2,5}$/.test(text) || Number(text) < 68 || Number(text) > 65535) {
    throw new TscError("TSC_NETWORK_OPTION", `network mtu ${JSON.stringify(text)} is not a number from 68 to 65535`, {
      kind: "invalid-input",
    });
  }
  return Number(text);
}

/** A person's own list as a network: the settings it tells about itself. */
export function userRecord(list: CniList, text: string, spec: NetworkSpec): NetworkRecord {
  const main = list.plugins[0];
  const ipam = main?.["ipam"] as
    | { ranges?: { subnet?: string; gateway?: string }[][]; subnet?: string; gateway?: string }
    | undefined;
  const ranges = ipam?.ranges?.flatMap((range) => range.slice(0, 1)) ?? (ipam?.subnet === undefined ? [] : [ipam]);
  const subnets: NetworkSubnet[] = ranges.flatMap(({ subnet, gateway }) =>
    subnet === undefined ? [] : [{ subnet, ...(gateway === undefined ? {} : { gateway }) }],
  );
  const hasGateway = main?.type === "bridge" && (main["isGateway"] === true || main["isDefaultGateway"] === true);
  return {
    name: list.name,
    id: createHash("sha256").update(list.name).digest("hex"),
    spec,
    settings: {
      driver: main?.type ?? "bridge",
      internal: false,
      ipv6: subnets.some((subnet) => subnet.subnet.includes(":")),
      subnets,
      bridge: typeof main?.["bridge"] === "string" ? main["bridge"] : "",
      dns: spec.disableDns !== true && hasGateway && !list.plugins.some((plugin) => plugin.type === "dnsname"),
      source: "user",
    },
    conflist: text,
    createdAt: new Date().toISOString(),
  };
}

/**
 * A new network with an id of its own, free subnets and a generated list. `TSC_NETWORK_DRIVER`, `TSC_NETWORK_SUBNET_INVALID`,
 * `TSC_NETWORK_OPTION`, `TSC_INTERFACE_NAME`, `TSC_INTERFACE_TAKEN` when its bridge is another network's or another program's. Call inside a transaction: reads what is taken.
 */
export function generatedRecord(ctx: EngineContext, site: Site, spec: NetworkSpec): NetworkRecord {
  const options = spec.driverOpts ?? {};
  const driver = driverOf(ctx, spec);
  for (const name of Object.keys(options)) {
    if (!KNOWN_OPTIONS.has(name))
      ctx.warn(`network ${spec.name}: driver option ${printable(name, 100)} is not known and has no effect`);
  }
  if (spec.enableIpv4 === false && spec.enableIpv6 !== true) {
    throw new TscError("TSC_NETWORK_SUBNET_INVALID", `network ${spec.name} has neither IPv4 nor IPv6`, {
      kind: "invalid-input",
    });
  }
  const id = randomBytes(32).toString("hex");
  let bridge = "";
  if (driver === "bridge") {
    bridge = options[BRIDGE_NAME] ?? `${BRIDGE_PREFIX}${id.slice(0, 8)}`;
    checkInterfaceName(bridge);
  }
  const subnets = chooseSubnets(ctx, site, spec, driver, bridge);
  if (options[BRIDGE_NAME] !== undefined && driver === "bridge" && !ctx.rootless && site.hasBridge(bridge))
    throw interfaceTaken(spec.name, bridge);
  const settings: NetworkSettings = {
    driver,
    internal: spec.internal === true,
    ipv6: subnets.some((subnet) => subnet.subnet.includes(":")),
    subnets,
    bridge,
    dns: driver === "bridge" && spec.disableDns !== true,
    source: "generated",
  };
  const mtu = mtuOf(options);
  const parent = options["parent"] ?? "";
  if (parent !== "") checkInterfaceName(parent);
  const conflist = generateConflist({
    name: spec.name,
    settings,
    mtu: mtu > 0 ? mtu : driver === "bridge" ? site.mtu : 0,
    parent,
    isolated: isolatesContainers(spec),
    mode: options["macvlan_mode"] ?? options["ipvlan_mode"] ?? options["mode"] ?? "",
  });
  return {
    name: spec.name,
    id,
    spec,
    settings,
    conflist: JSON.stringify(conflist),
    createdAt: new Date().toISOString(),
  };
}

function driverOf(ctx: EngineContext, spec: NetworkSpec): string {
  const driver = spec.driver === undefined || spec.driver === "" || spec.driver === "default" ? "bridge" : spec.driver;
  if (!["bridge", "macvlan", "ipvlan"].includes(driver)) {
    throw new TscError(
      "TSC_NETWORK_DRIVER",
      `network ${spec.name}: driver ${JSON.stringify(driver)} is not supported`,
      {
        kind: "unsupported",
        hint:
          driver === "host" || driver === "none"
            ? `use network_mode: ${driver}`
            : "use bridge, macvlan or ipvlan, or write a CNI configuration with the network's name",
      },
    );
  }
  if (driver !== "bridge" && ctx.rootless) {
    throw new TscError("TSC_NETWORK_DRIVER", `network ${spec.name}: driver ${driver} needs the machine's interfaces`, {
      kind: "unsupported",
      hint: "run as root, or use the bridge driver",
    });
  }
  return driver;
}

/** The subnets given, checked, and one for every family that has none. */
function chooseSubnets(
  ctx: EngineContext,
  site: Site,
  spec: NetworkSpec,
  driver: string,
  bridge: string,
): NetworkSubnet[] {
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
  // macvlan shares the parent's subnet on purpose.
  for (const [index, subnet] of given.entries()) {
    const own = given
      .slice(0, index)
      .map((other) => ({ prefix: parsePrefix(other.subnet), owner: `network ${spec.name} itself` }));
    checkFree(subnet, driver === "bridge" ? [...taken, ...own] : own);
  }
  const subnets = [...given];
  const prefixes = [...taken.map((entry) => entry.prefix), ...given.map((subnet) => parsePrefix(subnet.subnet))];
  const has = (family: 4 | 6): boolean => given.some((subnet) => parsePrefix(subnet.subnet).family === family);
  if (spec.enableIpv4 !== false && !has(4)) {
    if (driver !== "bridge") {
      throw new TscError("TSC_NETWORK_SUBNET_INVALID", `network ${spec.name}: driver ${driver} needs a subnet`, {
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
