/** What a storage driver does: turn a stack of layer folders into a mounted rootfs. No database, no names. */

/** A stack of folders to show as one tree. */
interface RootfsMount {
  /** Layer folders, top first; may be empty. */
  readonly lower: readonly string[];
  /** The container's own folder under storage/containers. */
  readonly folder: string;
  /** Existing empty folder that becomes the rootfs. */
  readonly target: string;
  /** SELinux label of all that is in it. */
  readonly context?: string | undefined;
}

/** One way to stack layers into a root filesystem. */
export interface Driver {
  readonly name: "overlay" | "fuse-overlayfs" | "vfs";
  /** How deletions are written when a layer is unpacked (kernel.unpackLayer). */
  readonly whiteouts: "trusted" | "user" | "apply";
  /** Layers hold the whole tree up to themselves, so a layer needs its parent before it can be unpacked. */
  readonly cumulative: boolean;
  /** Makes the writable part in `folder` (exists, empty). */
  prepare(folder: string, lower: readonly string[]): Promise<void>;
  mount(request: RootfsMount): Promise<void>;
  /** Shows the stack read-only. */
  mountReadOnly(lower: readonly string[], target: string, context?: string): Promise<void>;
  /** Where a container's changes are; undefined when they are not kept apart. */
  upperDir(folder: string): string | undefined;
  /** Where a container's writable tree is: the upper folder, or the whole rootfs. */
  writableDir(folder: string): string;
  /** Fills a new layer folder with its parent's content where the driver needs that. */
  seedLayer(target: string, parent: string | undefined): Promise<void>;
}
