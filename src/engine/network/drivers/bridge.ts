/** The driver `bridge`: a bridge of our own per network, in the host's namespace or the rootless one. */
import { goBoolean } from "../../../lib/go-boolean.js";
import type { CniPlugin } from "../cni-types.js";
import { type NetworkDriver, STATIC_IPAM } from "./driver.js";
import { boolean, interfaceName, ipv4, MTU_OPTIONS } from "./option-checks.js";

/** Option that names a network's bridge. */
export const BRIDGE_NAME = "com.docker.network.bridge.name";
/** Lets containers of one network talk to each other (the default) or not. */
const ENABLE_ICC = "com.docker.network.bridge.enable_icc";
const ENABLE_MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade";
const HOST_BINDING = "com.docker.network.bridge.host_binding_ipv4";

type Options = Readonly<Record<string, string>>;

const isOff = (options: Options, name: string): boolean => goBoolean(options[name] ?? "true") === false;

/** Containers reach the outside and the host, not each other. */
export function isolatesContainers(options: Options): boolean {
  return isOff(options, ENABLE_ICC);
}

/** Packets to the outside carry the host's address. */
export function masquerades(options: Options): boolean {
  return !isOff(options, ENABLE_MASQUERADE);
}

/** The host address that ports without one are published on, or "". */
export function hostBinding(options: Options): string {
  return options[HOST_BINDING] ?? "";
}

/** The bridge that a plugin's configuration names, or "". */
export function bridgeOf(plugin: CniPlugin | undefined): string {
  return typeof plugin?.["bridge"] === "string" ? plugin["bridge"] : "";
}

/**
 * Masquerading, forwarding, isolation and published ports are rules per network (rules.ts), so the chain has neither firewall nor portmap
 * (59 ms and a dozen iptables processes per container) and `ipMasq` is false.
 */
export const bridge: NetworkDriver = {
  name: "bridge",
  needsRoot: false,
  subnets: "pool",
  ownsBridge: true,
  servesNames: (plugin) => plugin["isGateway"] === true || plugin["isDefaultGateway"] === true,
  takesPorts: true,
  mac: "derived",
  holdsParent: false,
  defaultMtu: (site) => site,
  options: {
    ...MTU_OPTIONS,
    [BRIDGE_NAME]: interfaceName,
    [ENABLE_ICC]: boolean,
    [ENABLE_MASQUERADE]: boolean,
    [HOST_BINDING]: ipv4,
  },
  programs: ["bridge", "static"],
  plugins: ({ options, bridge: name, mtu }) => [
    {
      type: "bridge",
      bridge: name,
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ...(isolatesContainers(options) ? { portIsolation: true } : {}),
      ...(mtu > 0 ? { mtu } : {}),
      ipam: STATIC_IPAM,
      capabilities: { mac: true },
    },
  ],
  check: () => undefined,
};
