/**
 * The CNI plugins `bridge` and `static` for the lists we generate, as one call of the kernel instead of two Go processes per container.
 * Owns which configurations that call understands; every other one is for the real plugin.
 */
import type { BridgeJoin, BridgeLinks } from "../../../kernel/kernel.js";
import { own } from "../../../lib/own.js";
import type { CniAttachment, CniList, CniPlugin, CniResult } from "../cni-types.js";

/** Configuration of the address plugin `static`. */
interface StaticIpam {
  readonly addresses?: readonly { readonly address: string; readonly gateway?: string }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
}

/** Every key and value of a plugin's object that is understood here. */
const UNDERSTOOD: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => value === "bridge",
  bridge: (value) => typeof value === "string" && value !== "",
  isGateway: (value) => value === true,
  ipMasq: (value) => value === false,
  hairpinMode: (value) => typeof value === "boolean",
  portIsolation: (value) => typeof value === "boolean",
  mtu: (value) => typeof value === "number",
  capabilities: () => true,
  ipam: (value) =>
    hasOnly(value, ["type", "addresses", "routes"]) &&
    value["type"] === "static" &&
    listOf(value["addresses"]).every((address) => hasOnly(address, ["address", "gateway"])) &&
    listOf(value["routes"]).every((route) => hasOnly(route, ["dst", "gw"])),
};
const ARGUMENTS = new Set(["IgnoreUnknown", "K8S_POD_NAME", "MAC"]);

function hasOnly(value: unknown, keys: readonly string[]): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.keys(value).every((key) => keys.includes(key));
}
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const familyOf = (address: string): 4 | 6 => (address.includes(":") ? 6 : 4);

/** What ADD of `plugin` asks of the kernel, or undefined when only the real plugin knows. `site`: where the bridge is, "" for here. */
export function bridgeJoinOf(plugin: CniPlugin, attachment: CniAttachment, site: string): BridgeJoin | undefined {
  const isUnderstood = Object.entries(plugin).every(([key, value]) => own(UNDERSTOOD, key)?.(value) === true);
  if (!isUnderstood || plugin["isGateway"] !== true || plugin["ipam"] === undefined) return undefined;
  const args = new Map(
    attachment.args
      .split(";")
      .filter((text) => text !== "")
      .map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
  );
  if ([...args.keys()].some((name) => !ARGUMENTS.has(name))) return undefined;
  const { addresses = [], routes = [] } = plugin["ipam"] as StaticIpam;
  const main = addresses.filter(({ gateway }) => gateway !== undefined);
  const hops = routes.map((route) => {
    const family = familyOf(route.dst);
    return [route.dst, route.gw ?? main.find(({ address }) => familyOf(address) === family)?.gateway];
  });
  // Without a gateway the real plugin takes a subnet's first address.
  if (main.length === 0 || hops.some(([, gateway]) => gateway === undefined)) return undefined;
  const { mac } = attachment.capabilityArgs as { mac?: unknown };
  return {
    site,
    bridge: String(plugin["bridge"]),
    gateways: main.map(({ address, gateway = "" }) => `${gateway}/${address.split("/")[1]}`),
    netns: attachment.netns,
    name: attachment.ifName,
    mac: typeof mac === "string" ? mac : (args.get("MAC") ?? ""),
    mtu: Number(plugin["mtu"] ?? 0),
    addresses: addresses.map(({ address }) => address),
    routes: hops.flat().map(String),
    hairpin: plugin["hairpinMode"] === true,
    isolated: plugin["portIsolation"] === true,
  };
}

/** The result the plugins print (CNI 1.0.0, "Success"). */
export function bridgeResult(list: CniList, plugin: CniPlugin, join: BridgeJoin, links: BridgeLinks): CniResult {
  const { addresses = [], routes = [] } = plugin["ipam"] as StaticIpam;
  return {
    cniVersion: list.cniVersion,
    interfaces: [
      { name: join.bridge, mac: links.bridgeMac },
      { name: links.hostName, mac: links.hostMac },
      { name: join.name, mac: links.mac, sandbox: join.netns },
    ],
    ips: addresses.map(({ address, gateway }) => ({
      interface: 2,
      address,
      ...(gateway === undefined ? {} : { gateway }),
    })),
    ...(routes.length === 0 ? {} : { routes }),
    dns: {},
  };
}
