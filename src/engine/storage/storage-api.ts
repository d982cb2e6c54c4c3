/** The store of layers and root filesystems as the other parts see it. Types only. */
import type { StagedLayer } from "./layers.js";
import type { ScratchPlace } from "./scratch.js";

/** Layers and root filesystems of one engine. */
export interface Storage {
  readonly driver: "overlay" | "fuse-overlayfs" | "vfs";
  readonly whiteouts: "trusted" | "user" | "apply";
  /** Layers hold whole trees (vfs), so they must be made base first. */
  readonly cumulative: boolean;
  /** Only one uid is mapped: owners in layers cannot be kept. */
  readonly squashOwners: boolean;
  hasLayer(chainId: string): boolean;
  /** The folder with a layer's files; `TSC_STORAGE_LAYER_MISSING`. */
  layerDir(chainId: string): string;
  stageLayer(parentChainId: string): Promise<StagedLayer>;
  /** Takes a folder that is a layer already (an upper dir, unmounted): it is moved, not copied. */
  stageFolder(path: string): Promise<StagedLayer>;
  /** Makes the writable layer of a container. `topChainId` "" is an empty rootfs. Nothing is mounted. */
  createRootfs(containerId: string, topChainId: string): Promise<void>;
  /** Mounts if it is not mounted, with that SELinux label on all that is in it; the merged folder. */
  mountRootfs(containerId: string, label?: string): Promise<string>;
  /** Not mounted is no error. */
  unmountRootfs(containerId: string): Promise<void>;
  /** Unmounts and removes the writable layer; missing is no error. */
  removeRootfs(containerId: string): Promise<void>;
  /** The folder with the container's changes in overlay form; undefined for vfs. */
  upperDir(containerId: string): string | undefined;
  /** The upper folder, or with vfs the whole tree. */
  writableDir(containerId: string): string;
  /** Chain id a container's rootfs stands on; "" for none. */
  topOf(containerId: string): string;
  /** Mounts an image read-only under a key; the folder. Idempotent. */
  mountImage(key: string, topChainId: string, label?: string): Promise<string>;
  unmountImage(key: string): Promise<void>;
  /** Mounts an image read-only for this command alone: disposal ends it, or the next command when this one is killed. */
  viewImage(topChainId: string): Promise<ScratchPlace>;
  /** Removes layers unless a container's rootfs or another layer stands on them; the ids removed. */
  removeLayers(chainIds: readonly string[]): Promise<string[]>;
}
