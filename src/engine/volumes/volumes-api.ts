/** Volumes as the engine itself has them. Types only. */
import type { VolumesApi } from "../api.js";
import type { VolumeInfo, VolumeSpec } from "../types.js";

/** Volumes plus what containers, prunes and the engine need of them. */
export interface Volumes extends VolumesApi {
  /** What `make` takes for a new volume with a random 64-digit name. */
  anonymous(labels?: Readonly<Record<string, string>>): VolumeSpec;
  /** `create` without a promise: for use inside a transaction. */
  make(spec: VolumeSpec): VolumeInfo;
  /** Where a volume's content lies, whether it exists or not. */
  mountpointOf(name: string): string;
  /** The host folder with the volume's content; mounts its device first when it has one. Idempotent. `TSC_VOLUME_MOUNT`. */
  mount(name: string): Promise<string>;
  /** Gives its content the SELinux label that every container may use, unless it has one of that type; a device's is its owner's business. */
  label(name: string): Promise<void>;
  /** Unmounts the device, unless a running container still uses the volume. No device is no error. */
  unmount(name: string): Promise<void>;
  /** Notes that a container uses the volume; ends with the container's record. Synchronous: for use inside a transaction. */
  use(name: string, containerId: string): void;
  /** Volumes of a container, those anonymous ones nobody else uses marked. */
  ofContainer(containerId: string): { volume: VolumeInfo; removable: boolean }[];
  /**
   * Copies what the image has at `target` (inside the mounted `rootfs`) into a volume that is still empty and never
   * had content, with owner and mode of the folder itself. Later calls do nothing. True when it copied.
   */
  copyUp(name: string, rootfs: string, target: string): Promise<boolean>;
  /**
   * The part of `remove` that belongs into a transaction: the row goes and the folder gets another name. What is returned throws the
   * content away, after the commit. `TSC_VOLUME_IN_USE`; nothing for a volume that is not there.
   */
  discard(name: string): (() => Promise<void>) | undefined;
  /** Finishes removals that a crash interrupted. One look at the folder when there are none. */
  repair(): Promise<void>;
}
