/** What is told of a published port's way, hop by hop. Vocabulary only. */

/** One thing that a packet passes on its way from the host to the program in the container. */
export interface TraceHop {
  readonly kind: "host" | "forwarder" | "rule" | "bridge" | "link" | "container";
  /** What it is called where it is: an address and port, a process, a chain, a link. */
  readonly name: string;
  /** `unknown`: this user, or this kernel, does not show it. */
  readonly state: "ok" | "failed" | "unknown";
  /** What was found there. */
  readonly detail: string;
  /** What to do, when it failed. */
  readonly advice?: string;
  /** Packets and bytes that a rule has seen; the first packet of a connection alone passes rules that lead elsewhere. */
  readonly counters?: { readonly packets: number; readonly bytes: number };
}

/** The way of one host address of a published port. */
export interface PortTrace {
  readonly container: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Empty for a container that has the host's network or is not running. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  /** In the order in which a packet meets them. */
  readonly hops: readonly TraceHop[];
}

/** Which port of a container. */
export interface TraceRequest {
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
}
