/** What a network driver is: what it needs of the machine, what it makes, and the CNI plugins that make it. Values only; nothing here touches the machine. */
import type { ErrorCode } from "../../../lib/errors.js";
import type { CniPlugin } from "../cni-types.js";

/** Why something a person asked for cannot be: the end of a sentence about it, and what to do instead. */
export interface Problem {
  readonly code: ErrorCode;
  /** Follows the name of what it is about (`is not there`). */
  readonly what: string;
  readonly hint?: string;
}

/** What the machine says about its interfaces. */
export interface Links {
  has(name: string): boolean;
  isWireless(name: string): boolean;
  /** The interface of the default route, or undefined. */
  routed(): string | undefined;
}

/** A network to be made: `options` have passed the driver's checks. */
export interface Wish {
  readonly options: Readonly<Record<string, string>>;
  /** Name of the bridge, for a driver that owns one; else "". */
  readonly bridge: string;
  /** 0 = the kernel's own. */
  readonly mtu: number;
}

/** Judges an option's value; undefined when it is right. */
export type OptionCheck = (value: string) => Problem | undefined;

/** A driver that networks are made with. Everything that differs between drivers is said here; no other file asks for a driver's name. */
export interface NetworkDriver {
  /** As `driver:` of a compose file says it. */
  readonly name: string;
  /** Its networks are made of the machine's own interfaces, which an ordinary user does not have. */
  readonly needsRoot: boolean;
  /**
   * `pool`: a free subnet is found when none is given, and a given one must meet nothing that is there. `parent`: addresses are those of
   * the network behind an interface, so that they must be given and may be others' too.
   */
  readonly subnets: "pool" | "parent";
  /** A bridge of its own carries each network: it gets a name, the gateways' addresses, packet filter rules, and goes with the network. */
  readonly ownsBridge: boolean;
  /** Whether a network with this first plugin has an address of the host where names can be asked for. */
  servesNames(plugin: CniPlugin): boolean;
  /** Ports of its containers can be published on the host; otherwise they have addresses that others reach directly. */
  readonly takesPorts: boolean;
  /** `derived` from the address unless one is given, `given` or the kernel's, or never to be chosen (`fixed`). */
  readonly mac: "derived" | "given" | "fixed";
  /** Addresses on the parent are free only after DEL: the kernel ends a namespace some time after its last user. */
  readonly holdsParent: boolean;
  /** MTU of a network that names none: the place's where bridges are, or 0 for the parent's. */
  defaultMtu(site: number): number;
  /** Every option it knows, with its check. */
  readonly options: Readonly<Record<string, OptionCheck>>;
  /** Programs of CNI that its lists run. */
  readonly programs: readonly string[];
  /** The plugins of a network's list, the one that makes the interface first. */
  plugins(wish: Wish): readonly CniPlugin[];
  /** What of the machine is in the way of the network; undefined when nothing is. */
  check(wish: Wish, links: Links): Problem | undefined;
}

/** A word that docker has for a driver, with which no network is made here. */
export interface UnmadeDriver {
  readonly name: string;
  /** Why not, as the end of a sentence. */
  readonly why: string;
  readonly hint: string;
}

/** Addresses come from the state database and are filled in per container. */
export const STATIC_IPAM = { type: "static", addresses: [], routes: [] } as const;
