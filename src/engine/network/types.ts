/** What the network part takes and gives beyond the engine's public vocabulary. Plain data only. */
import type { NetworksApi } from "../api.js";
import type { MissingProgram, NetworkAttachment, NetworkEndpoint, NetworkMode, PortMapping } from "../types.js";

/** Everything the network part must know about a container before it starts. */
export interface AttachRequest {
  /** Container id, `[A-Za-z0-9][A-Za-z0-9_.-]*`. */
  readonly id: string;
  /** Container name; resolvable on every network that serves names. */
  readonly name: string;
  /** The name the container calls itself; resolvable as well where it is a host name. */
  readonly hostname?: string;
  /** Default `bridge`. `container` is resolved by the caller and refused here. */
  readonly mode?: NetworkMode;
  /** Where the namespace is pinned; default `paths.netns/ID`. */
  readonly netnsPath?: string;
  /** Empty with mode `bridge`: the built-in network `bridge`. */
  readonly attachments: readonly NetworkAttachment[];
  readonly ports: readonly PortMapping[];
  /** Upstream name servers of this container. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** `net.*` only; set inside the namespace before interfaces appear. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/** What the runtime needs to know of an attached container. */
export interface AttachResult {
  /** Pin to put in the bundle; empty for the host's own namespace. */
  readonly netnsPath: string;
  /** Gateway network first, then in interface order. */
  readonly endpoints: readonly NetworkEndpoint[];
  /** As published: `hostPort` 0 replaced by the port chosen. */
  readonly ports: readonly PortMapping[];
}

/** An attach that is under way. */
export interface Attachment {
  /** What it will give, when that is certain already; a network from a person's CNI list tells its addresses only at the end. */
  readonly reserved: AttachResult | undefined;
  /** All of it is in place when this resolves, and none of it when it rejects. Wait for it also after a failure elsewhere. */
  readonly joined: Promise<AttachResult>;
}

/** What /etc/resolv.conf is made of; the container's addresses must be reserved (or in host/none mode). */
export interface ResolvConfRequest {
  readonly id: string;
  readonly mode?: NetworkMode;
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
}

/** What networking is made of on this machine, for `info` and `doctor`. */
export interface NetworkingInfo {
  /** `bridge`, `slirp4netns` or `pasta`. */
  readonly mode: string;
  readonly components: readonly { readonly name: string; readonly path: string; readonly version: string }[];
  readonly missing: readonly MissingProgram[];
  /** What works less well than it could. */
  readonly warnings: readonly string[];
}

/** The network part's public face. */
export interface Networking extends NetworksApi {
  /**
   * Makes the container's network namespace, joins its networks, serves its names and publishes its ports; all of it
   * is in place when this resolves and none of it when it rejects. Attaching an attached container again starts afresh.
   * `TSC_NETWORK_NOT_FOUND`, `TSC_PORT_TAKEN`, `TSC_PORT_PRIVILEGED`, `TSC_ADDRESS_TAKEN`, `TSC_NETWORK_FULL`,
   * `TSC_CNI_FAILED`, `TSC_DNS_FAILED`, `TSC_MISSING_PROGRAM`.
   */
  attach(request: AttachRequest): Promise<AttachResult>;
  /** Like `attach`, but resolves once the namespace exists and the addresses are reserved: the container can be created meanwhile. */
  beginAttach(request: AttachRequest): Promise<Attachment>;
  /**
   * Undoes `attach` whole, the namespace included; idempotent. The addresses stay reserved for the container unless
   * `release` is set (container removal) or the container is not in the state database.
   */
  detach(containerId: string, options?: { readonly release?: boolean }): Promise<void>;
  /** Joins one more network while running. `TSC_NETWORK_ALREADY_CONNECTED`, `TSC_CONTAINER_NOT_ATTACHED`. */
  connect(containerId: string, attachment: NetworkAttachment): Promise<NetworkEndpoint>;
  /** Leaves one network while running. `TSC_NETWORK_NOT_CONNECTED`. */
  disconnect(containerId: string, network: string): Promise<void>;
  /** Live endpoints of a container, gateway network first; reads the database only. */
  endpoints(containerId: string): NetworkEndpoint[];
  /** Published ports of an attached container; reads the database only. */
  ports(containerId: string): PortMapping[];
  /** Content for the container's /etc/resolv.conf. */
  resolvConf(request: ResolvConfRequest): string;
  /** An address by which containers reach the host (`host-gateway`, host.docker.internal); of this container's gateway network when given. */
  hostGateway(containerId?: string): string;
  /** Cleans up after crashes, reboots and dead helpers; cheap when there is nothing to do. */
  repair(): Promise<void>;
  info(): Promise<NetworkingInfo>;
}
