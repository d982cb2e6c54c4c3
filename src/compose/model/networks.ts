/** Networks, where they are declared and where they are joined; ports. */
import { structOf } from "./kinds.js";
import type { Extensible, StringMap } from "./values.js";

/** How a service joins a network: by descending `priority`; the default route is that of the highest `gw_priority`. */
export interface ServiceNetwork extends Extensible {
  readonly aliases?: readonly string[];
  readonly driver_opts?: StringMap;
  readonly gw_priority?: number;
  readonly interface_name?: string;
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly link_local_ips?: readonly string[];
  readonly mac_address?: string;
  readonly priority?: number;
}

/** How a joined network is read. */
export const SERVICE_NETWORK = structOf<ServiceNetwork>({
  aliases: "strings",
  driver_opts: "map",
  gw_priority: "int",
  interface_name: "string",
  ipv4_address: "string",
  ipv6_address: "string",
  link_local_ips: "strings",
  mac_address: "string",
  priority: "int",
});

/** A port in its long form; `mode` is `ingress` and `protocol` is `tcp` unless written. */
export interface Port extends Extensible {
  readonly name?: string;
  readonly mode?: string;
  readonly host_ip?: string;
  /** Container port; absent only for a remote quirk of the short form. */
  readonly target?: number;
  /** A port or a range `8000-8010`; absent asks for any free port. */
  readonly published?: string;
  readonly protocol?: string;
  readonly app_protocol?: string;
}

/** How a port is read. */
export const PORT = structOf<Port>({
  name: "string",
  mode: "string",
  host_ip: "string",
  target: "uint",
  published: "string",
  protocol: "string",
  app_protocol: "string",
});

/** A subnet in CIDR form, with addresses and a range inside it; without the subnet the others are refused (`attributes/limits.ts`). */
export interface IpamPool extends Extensible {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ip_range?: string;
  readonly aux_addresses?: StringMap;
}

const IPAM_POOL = structOf<IpamPool>({
  subnet: "string",
  gateway: "string",
  ip_range: "string",
  aux_addresses: "map",
});

/** Addresses of a network, given out by the engine: other drivers than `default` are refused, `options` told (`attributes/limits.ts`). */
export interface Ipam extends Extensible {
  readonly driver?: string;
  readonly config?: readonly IpamPool[];
  readonly options?: StringMap;
}

const IPAM = structOf<Ipam>({
  driver: "string",
  config: { list: IPAM_POOL },
  options: "map",
});

/** A network that the project declares; an `external` one is used as it is, and must be there. */
export interface NetworkConfig extends Extensible {
  /** The name on the host: `<project>_<key>` unless set. */
  readonly name?: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly ipam: Ipam;
  readonly external?: boolean;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly labels?: StringMap;
  readonly enable_ipv4?: boolean;
  readonly enable_ipv6?: boolean;
}

/** How a declared network is read. */
export const NETWORK = structOf<NetworkConfig>({
  name: "string",
  driver: "string",
  driver_opts: "map",
  ipam: { always: IPAM },
  external: "bool",
  internal: "bool",
  attachable: "bool",
  labels: "map",
  enable_ipv4: "bool!",
  enable_ipv6: "bool!",
});
