/**
 * /dev/shm of containers that share theirs (`ipc: shareable`). It is mounted outside the container, because a mount of another
 * mount namespace cannot be bound (mount(2), EINVAL); donor and joiners bind the same folder.
 */
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { mountTmpfs } from "../tmpfs.js";
import { DEFAULT_SHM_BYTES } from "./oci/mounts.js";

/** Where a container's shareable /dev/shm is mounted. */
export function shmFolder(bundle: string): string {
  return join(bundle, "shm");
}

/** Mounts it unless it stands; the folder. Errors are the kernel's (`code`). */
export function mountShm(kernel: Kernel, bundle: string, sizeBytes = DEFAULT_SHM_BYTES, label?: string): string {
  const folder = shmFolder(bundle);
  mountTmpfs(kernel, { name: "shm", folder, mode: "1777", size: sizeBytes, label });
  return folder;
}

/** Unmounts it, also while joiners hold it; nothing there is no error. */
export function unmountShm(kernel: Kernel, bundle: string): void {
  kernel.unmount(shmFolder(bundle), { detach: true });
}
