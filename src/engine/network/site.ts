/** Where bridges live: the host's network namespace (rootful) or one shared namespace per run root (rootless). */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { hasSetting, processLink, writeSetting } from "../../kernel/proc.js";
import type { EngineContext } from "../context.js";
import type { ReservedPort } from "../state/endpoints.js";
import { DEFAULT_DRIVER } from "./drivers/index.js";

/** All that differs between root's place and an ordinary user's. */
export interface Site {
  /** As `info` says it: the default driver's name where the machine's own namespace holds the bridges, else the uplink's. */
  readonly mode: string;
  /** MTU of bridges when nobody asks for another; 0 = the kernel's default. */
  readonly mtu: number;
  /** Subnets that are taken there beside the machine's routes. */
  readonly reserved: readonly string[];
  /** Makes the place ready and runs `reserve` before anybody could take it down as idle. */
  enter<T>(reserve: () => T): Promise<T>;
  /** Names this boot and this namespace; undefined when the namespace is not there. */
  epoch(): string | undefined;
  /** Where the namespace is pinned; "" when it is ours. */
  readonly pin: string;
  /** The interface by which ports that `forward` opened arrive there; "" when they arrive at the machine's own. */
  readonly uplinkInterface: string;
  /** argv prefix that enters the namespace; empty when it is ours. With `resolver`, the place's own resolv.conf is seen. */
  prefix(options?: { readonly resolver: boolean }): readonly string[];
  /** Whether a bridge we set up in this epoch is still there. */
  hasBridge(bridge: string): boolean;
  /** Kernel settings of a bridge that was just made: loopback clients reach published ports, no router advertisements, IPv6 where asked. */
  prepareBridge(bridge: string, ipv6: boolean): void;
  /** Opens ports from the outside to the namespace, where DNAT rules take over: the way without tsc-portd (publish.ts). */
  forward(ports: readonly ReservedPort[]): Promise<void>;
  unforward(ports: readonly ReservedPort[]): Promise<void>;
  /** Ends what `enter` began once nothing is attached. */
  releaseIfIdle(): Promise<void>;
  /** Restarts a dead uplink while something is attached. */
  repair(): Promise<void>;
  /** An address of the host that containers reach, when their gateway is not the host. */
  hostAddress(): string | undefined;
  /** Text of resolv.conf that forwarding resolvers of this place should use. */
  hostResolvConf(): string;
}

/** Name servers, search and options of a resolv.conf. */
export function parseResolvConf(text: string): { servers: string[]; search: string[]; options: string[] } {
  const servers: string[] = [];
  let search: string[] = [];
  let options: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && rest[0] !== undefined) servers.push(rest[0]);
    else if (word === "search" || word === "domain") search = rest;
    else if (word === "options") options = [...options, ...rest];
  }
  return { servers, search, options };
}

/** The machine's resolv.conf; empty when there is none. */
export function readHostResolvConf(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return "";
  }
}

/** The machine's first global IPv4 address, or undefined. */
export function firstHostAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (address.family === "IPv4" && !address.internal && !address.address.startsWith("169.254."))
        return address.address;
    }
  }
  return undefined;
}

/** Rootful: everything happens in the namespace this command runs in. */
export function hostSite(ctx: EngineContext): Site {
  const epoch = `${ctx.kernel.bootId()}:${processLink("self", "ns/net")}`;
  return {
    mode: DEFAULT_DRIVER.name,
    mtu: 0,
    reserved: [],
    enter: async (reserve) => reserve(),
    epoch: () => epoch,
    pin: "",
    uplinkInterface: "",
    prefix: () => [],
    hasBridge: (bridge) => hasSetting(`net/ipv4/conf/${bridge}`),
    prepareBridge: (bridge, ipv6) => {
      for (const [name, value] of [
        [`net/ipv4/conf/${bridge}/route_localnet`, "1"],
        [`net/ipv6/conf/${bridge}/accept_ra`, "0"],
        ...(ipv6 ? [] : [[`net/ipv6/conf/${bridge}/disable_ipv6`, "1"] as const]),
      ] as const) {
        if (hasSetting(name)) writeSetting(name, value);
      }
    },
    forward: async () => undefined,
    unforward: async () => undefined,
    releaseIfIdle: async () => undefined,
    repair: async () => undefined,
    hostAddress: () => undefined,
    hostResolvConf: readHostResolvConf,
  };
}
