/** What can be done with networks, volumes and what is stored on disk. */
import type { DiskUsage, PrunePlan, PruneRequest } from "../disk/types.js";
import type { PortTrace, TraceRequest } from "../network/trace-types.js";
import type { NetworkInfo, NetworkSpec, VolumeInfo, VolumeSpec } from "../types.js";
import type { LabelFilter } from "./filter.js";

/** What can be done with networks. */
export interface NetworksApi {
  /**
   * Brings the kernel's links, rules, namespaces and the helpers back to what running containers need, whoever took them away. What had
   * to be joined again is told as a warning.
   */
  mend(): Promise<void>;
  /** `TSC_NETWORK_EXISTS`, `TSC_NETWORK_SUBNET_TAKEN`. */
  create(spec: NetworkSpec): Promise<NetworkInfo>;
  /** `TSC_NETWORK_IN_USE` while containers are attached; `TSC_NETWORK_NOT_FOUND`. */
  remove(name: string): Promise<void>;
  inspect(name: string): Promise<NetworkInfo>;
  find(name: string): Promise<NetworkInfo | undefined>;
  list(filter?: LabelFilter): Promise<NetworkInfo[]>;
  /** The way of a container's published port, hop by hop, for each address of the host. Changes nothing. `TSC_CONTAINER_NOT_FOUND`, `TSC_PORT_NOT_PUBLISHED`. */
  trace(containerId: string, request: TraceRequest): Promise<readonly PortTrace[]>;
}

/** What can be done with volumes. `TSC_VOLUME_NOT_FOUND` for a name that is not there. */
export interface VolumesApi {
  /** Returns the existing one unchanged when the name is taken by the same driver; else `TSC_VOLUME_EXISTS`. */
  create(spec: VolumeSpec): Promise<VolumeInfo>;
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  inspect(name: string): Promise<VolumeInfo>;
  find(name: string): Promise<VolumeInfo | undefined>;
  list(filter?: LabelFilter): Promise<VolumeInfo[]>;
}

/** What is stored, what it takes, and prunes. */
export interface DiskApi {
  /** What is stored, what it takes and what each noun's prune would free. */
  usage(signal?: AbortSignal): Promise<DiskUsage>;
  /** What `prune` would remove, without removing anything. */
  plan(request: PruneRequest, signal?: AbortSignal): Promise<PrunePlan>;
  /** Removes it; what was removed. What came into use meanwhile stays. */
  prune(request: PruneRequest, signal?: AbortSignal): Promise<PrunePlan>;
}
