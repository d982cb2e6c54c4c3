/** Networks, and how containers stand on them. */

/** A network that a container joins. */
export interface NetworkAttachment {
  readonly network: string;
  readonly aliases?: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocalIps?: readonly string[];
  readonly mac?: string;
  readonly interfaceName?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
  /** Higher connects first. */
  readonly priority?: number;
  /** Highest gives the default gateway. */
  readonly gatewayPriority?: number;
}

/** One published port after range expansion. `hostPort` 0 asks the engine for a free one. */
export interface PortMapping {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Empty means all addresses. */
  readonly hostIp: string;
}

/** Which network namespace a container has; `bridge` is one of its own. */
export type NetworkMode =
  | { readonly kind: "bridge" }
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string };

/** A container on a network: what it got there. Empty strings for what it has not. */
export interface NetworkEndpoint {
  readonly network: string;
  readonly interfaceName: string;
  readonly ipv4: string;
  readonly ipv4PrefixLength: number;
  readonly gateway: string;
  readonly ipv6: string;
  readonly ipv6PrefixLength: number;
  readonly ipv6Gateway: string;
  readonly mac: string;
  readonly aliases: readonly string[];
}

/** A subnet of a network. */
export interface NetworkSubnet {
  readonly subnet: string;
  readonly gateway?: string;
  readonly ipRange?: string;
  readonly auxAddresses?: Readonly<Record<string, string>>;
}

/** What a network is asked to be. */
export interface NetworkSpec {
  readonly name: string;
  /** A name of `network/drivers`; the default one without. */
  readonly driver?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
  readonly internal?: boolean;
  readonly enableIpv4?: boolean;
  readonly enableIpv6?: boolean;
  readonly subnets?: readonly NetworkSubnet[];
  readonly labels?: Readonly<Record<string, string>>;
  /** No name resolution on this network. */
  readonly disableDns?: boolean;
  readonly dns?: readonly string[];
}

/** A network that is there. */
export interface NetworkInfo {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly subnets: readonly NetworkSubnet[];
  readonly bridge: string;
  readonly createdAt: string;
  readonly options: Readonly<Record<string, string>>;
  /** Containers attached now: id → endpoint. */
  readonly containers: Readonly<Record<string, NetworkEndpoint>>;
}
