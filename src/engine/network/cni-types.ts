/** The vocabulary of CNI (spec 1.0.0): lists, attachments, results. Types only. */

/** A plugin's configuration, its own keys included: `type` names its program, `capabilities` what it takes of a container. */
export interface CniPlugin {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}
/** A network configuration list: the plugins that join a container to one network, in the order of ADD. */
export interface CniList {
  readonly cniVersion: string;
  readonly name: string;
  readonly disableCheck?: boolean;
  readonly plugins: readonly CniPlugin[];
}
/** What ADD made. Addresses carry their prefix length; `interface` is an index of `interfaces`, whose `sandbox` is the namespace. */
export interface CniResult {
  readonly cniVersion?: string;
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[];
  readonly ips?: readonly { readonly address: string; readonly gateway?: string; readonly interface?: number }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns?: unknown;
}
/** The container's side of a call: the CNI_* variables, and what plugins get by their capabilities. */
export interface CniAttachment {
  readonly containerId: string;
  /** May be empty for DEL. */
  readonly netns: string;
  readonly ifName: string;
  /** CNI_ARGS, `K=V;K2=V2`. */
  readonly args: string;
  readonly capabilityArgs: Readonly<Record<string, unknown>>;
}
