/** What a network is: its settings, subnets and CNI list, from a specification or from a list that a person wrote. Writes nothing. */
import { createHash, randomBytes } from "node:crypto";
import { TscError } from "../../lib/errors.js";
import { own } from "../../lib/own.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import type { NetworkRecord, NetworkSettings } from "../state/networks.js";
import type { NetworkSpec, NetworkSubnet } from "../types.js";
import { chooseSubnets } from "./choose-subnets.js";
import type { CniList } from "./cni-types.js";
import { conflistWith } from "./conflist.js";
import {
  BRIDGE_NAME,
  bridgeOf,
  DEFAULT_DRIVER,
  DRIVERS,
  driverNamed,
  mtuIn,
  type NetworkDriver,
  type Problem,
  unmadeNamed,
} from "./drivers/index.js";
import { machineLinks } from "./machine-links.js";
import { interfaceTaken } from "./network-bridge.js";
import { BRIDGE_PREFIX } from "./rules.js";
import type { Site } from "./site.js";

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
  const servesNames = main !== undefined && driverNamed(main.type)?.servesNames(main) === true;
  return {
    name: list.name,
    id: createHash("sha256").update(list.name).digest("hex"),
    spec,
    settings: {
      driver: main?.type ?? DEFAULT_DRIVER.name,
      internal: false,
      ipv6: subnets.some((subnet) => subnet.subnet.includes(":")),
      subnets,
      bridge: bridgeOf(main),
      dns: spec.disableDns !== true && servesNames && !list.plugins.some((plugin) => plugin.type === "dnsname"),
      source: "user",
    },
    conflist: text,
    createdAt: new Date().toISOString(),
  };
}

/**
 * A new network with an id of its own, free subnets and a generated list. `TSC_NETWORK_DRIVER`, `TSC_NETWORK_SUBNET_INVALID`,
 * `TSC_NETWORK_SUBNET_TAKEN`, `TSC_NETWORK_OPTION`, `TSC_NETWORK_PARENT`, `TSC_INTERFACE_NAME`, `TSC_INTERFACE_TAKEN` when its bridge is
 * another network's or another program's. Call inside a transaction: reads what is taken.
 */
export function generatedRecord(ctx: EngineContext, site: Site, spec: NetworkSpec): NetworkRecord {
  const driver = driverOf(ctx, spec);
  const options = checkedOptions(ctx, spec, driver);
  if (spec.enableIpv4 === false && spec.enableIpv6 !== true) {
    throw new TscError("TSC_NETWORK_SUBNET_INVALID", `network ${spec.name} has neither IPv4 nor IPv6`, {
      kind: "invalid-input",
    });
  }
  const id = randomBytes(32).toString("hex");
  const asked = options[BRIDGE_NAME];
  const bridge = driver.ownsBridge ? (asked ?? `${BRIDGE_PREFIX}${id.slice(0, 8)}`) : "";
  const subnets = chooseSubnets({ ctx, site, spec, driver, bridge });
  if (asked !== undefined && driver.ownsBridge && !ctx.rootless && site.hasBridge(bridge))
    throw interfaceTaken(spec.name, bridge);
  const mtu = mtuIn(options);
  const wish = { options, bridge, mtu: mtu > 0 ? mtu : driver.defaultMtu(site.mtu) };
  const problem = driver.check(wish, machineLinks);
  if (problem !== undefined) throw refused(`network ${spec.name}`, problem);
  const settings: NetworkSettings = {
    driver: driver.name,
    internal: spec.internal === true,
    ipv6: subnets.some((subnet) => subnet.subnet.includes(":")),
    subnets,
    bridge,
    dns: spec.disableDns !== true && driver.plugins(wish).slice(0, 1).some(driver.servesNames),
    source: "generated",
  };
  return {
    name: spec.name,
    id,
    spec,
    settings,
    conflist: JSON.stringify(conflistWith(spec.name, driver.plugins(wish))),
    createdAt: new Date().toISOString(),
  };
}

/** The options with a value, each one right by its driver; what the driver does not know is told. `TSC_NETWORK_OPTION`, `TSC_INTERFACE_NAME`. */
function checkedOptions(
  ctx: EngineContext,
  { name, driverOpts = {} }: NetworkSpec,
  driver: NetworkDriver,
): Readonly<Record<string, string>> {
  const options = Object.entries(driverOpts).filter(([, value]) => value !== "");
  for (const [option, value] of options) {
    const check = own(driver.options, option);
    const problem = check?.(value);
    if (check === undefined)
      ctx.warn(
        `network ${name}: driver option ${printable(option, 100)} is not known to ${driver.name} and has no effect`,
      );
    if (problem !== undefined)
      throw refused(`network ${name}: driver option ${option} ${JSON.stringify(value)}`, problem);
  }
  return Object.fromEntries(options);
}

function refused(subject: string, { code, what, hint }: Problem): TscError {
  return new TscError(code, `${subject} ${what}`, { kind: "invalid-input", ...(hint === undefined ? {} : { hint }) });
}

function driverOf(ctx: EngineContext, spec: NetworkSpec): NetworkDriver {
  const { driver: name = "" } = spec;
  const driver = name === "" || name === "default" ? DEFAULT_DRIVER : driverNamed(name);
  if (driver === undefined) {
    const known = DRIVERS.map((one) => one.name).join(", ");
    throw new TscError("TSC_NETWORK_DRIVER", `network ${spec.name}: driver ${JSON.stringify(name)} is not supported`, {
      kind: "unsupported",
      hint: unmadeNamed(name)?.hint ?? `use one of ${known}, or write a CNI configuration with the network's name`,
    });
  }
  if (driver.needsRoot && ctx.rootless) {
    throw new TscError(
      "TSC_NETWORK_DRIVER",
      `network ${spec.name}: driver ${driver.name} needs the machine's interfaces`,
      { kind: "unsupported", hint: `run as root, or use the ${DEFAULT_DRIVER.name} driver` },
    );
  }
  return driver;
}
