/** What is stored and what it takes, and what of it a prune removes. Plain data; sizes are allocated bytes. */
import type { ContainerState } from "../types.js";

type Labels = Readonly<Record<string, string>>;

/** A container in the store, and what its own files take. */
export interface StoredContainer {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
  readonly createdAt: string;
  readonly labels: Labels;
  readonly imageId: string;
  readonly imageName: string;
  /** Ids of images that it mounts. */
  readonly mountedImages: readonly string[];
  /** The layer that its rootfs stands on; "" for none. */
  readonly topLayer: string;
  readonly networks: readonly string[];
  readonly command: readonly string[];
  readonly volumes: number;
  /** Writable layer, log and the other files of it. */
  readonly bytes: number;
}

/** An image in the store. */
export interface StoredImage {
  readonly id: string;
  readonly tags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly createdAt: string;
  readonly labels: Labels;
  /** Chain ids of its layers. */
  readonly layers: readonly string[];
  /** Digests of its blobs; they need not all be stored. */
  readonly blobs: readonly string[];
}

/** An unpacked layer. */
export interface StoredLayer {
  readonly chainId: string;
  /** Chain id below; "" for none. */
  readonly parent: string;
  /** The packed form that is kept as long as the layer; "" for none. */
  readonly blobDigest: string;
  readonly bytes: number;
}

/** A kept blob. */
export interface StoredBlob {
  readonly digest: string;
  readonly bytes: number;
}

/** A network in the store. */
export interface StoredNetwork {
  readonly name: string;
  readonly createdAt: string;
  readonly labels: Labels;
  /** Made by the engine itself; stays. */
  readonly predefined: boolean;
}

/** A volume in the store. */
export interface StoredVolume {
  readonly name: string;
  readonly driver: string;
  readonly anonymous: boolean;
  readonly createdAt: string;
  readonly labels: Labels;
  /** Ids of the containers that use it. */
  readonly users: readonly string[];
  readonly bytes: number;
}

/** The folder of a `RUN --mount=type=cache`. */
export interface CacheMount {
  readonly name: string;
  readonly usedAt: string;
  /** A build has it mounted. */
  readonly inUse: boolean;
  readonly bytes: number;
}

/** A remembered build step. */
export interface CachedStep {
  readonly key: string;
  /** The layer it made; "" for none. */
  readonly chainId: string;
  readonly usedAt: string;
}

/** Everything stored, at one moment. */
export interface Inventory {
  readonly containers: readonly StoredContainer[];
  readonly images: readonly StoredImage[];
  readonly layers: readonly StoredLayer[];
  readonly blobs: readonly StoredBlob[];
  readonly networks: readonly StoredNetwork[];
  readonly volumes: readonly StoredVolume[];
  readonly cacheMounts: readonly CacheMount[];
  readonly steps: readonly CachedStep[];
  /** Somebody pulls, loads or builds: layers and blobs without an image may be about to get one. */
  readonly busy: boolean;
}

/** docker's `--filter` of the prunes. */
export interface PruneFilter {
  /** `KEY` or `KEY=VALUE`; all must be there. */
  readonly labels?: readonly string[];
  /** None may be there. */
  readonly notLabels?: readonly string[];
  /** Milliseconds since the epoch: only what was made (the build cache: last used) before. */
  readonly until?: number;
}

/** What to look through; what is not named stays. `all`: docker's `--all` of each. */
export interface PruneRequest {
  readonly containers?: boolean;
  readonly networks?: boolean;
  readonly volumes?: { readonly all: boolean };
  readonly images?: { readonly all: boolean };
  readonly buildCache?: { readonly all: boolean };
  readonly filter?: PruneFilter;
}

/** What a prune removes, in the order in which it does. */
export interface PrunePlan
  extends Pick<Inventory, "containers" | "networks" | "volumes" | "images" | "steps" | "cacheMounts"> {
  /** Layers and blobs that go with the images. */
  readonly imageLayers: readonly StoredLayer[];
  readonly imageBlobs: readonly StoredBlob[];
  /** Layers and blobs that no image has. */
  readonly cacheLayers: readonly StoredLayer[];
  readonly cacheBlobs: readonly StoredBlob[];
  /** What is freed. */
  readonly bytes: number;
}

/** Everything `system df` shows. */
export interface DiskUsage {
  readonly rows: readonly UsageRow[];
  readonly stored: Inventory;
  /** By image id: bytes that other images have as well, and its own. */
  readonly shares: ReadonlyMap<string, { readonly shared: number; readonly unique: number }>;
}

/** A line of `system df`. */
export interface UsageRow {
  readonly type: "Images" | "Containers" | "Local Volumes" | "Build Cache";
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  /** What the noun's own prune with `--all` frees. */
  readonly reclaimable: number;
}
