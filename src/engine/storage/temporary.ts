/** What a command mounts or makes for itself alone, and what killed ones left of it. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import type { EngineContext } from "../context.js";
import { isOrphaned, ownedName } from "../owned-names.js";
import { labelForAll, layerLabel, relabelOwn } from "../selinux/index.js";
import { unmountFolder } from "./mount-once.js";
import { lowerOf, type StorageParts } from "./parts.js";
import { listFolder, type ScratchPlace } from "./scratch.js";

const VIEW = "view-";
const TEMPORARY_ROOTFS = "build-";

/** An id for a rootfs that this command needs alone; when it is killed, a later one removes the rootfs. */
export function temporaryRootfsId(kernel: Kernel): string {
  return `${TEMPORARY_ROOTFS}${ownedName(kernel)}`;
}

/** Whether the id of a rootfs is one of those. */
export function isTemporaryRootfs(id: string): boolean {
  return id.startsWith(TEMPORARY_ROOTFS);
}

/** Mounts an image read-only for this command alone: disposal ends it, or the next command when this one is killed. */
export async function viewImage(parts: StorageParts, topChainId: string): Promise<ScratchPlace> {
  const { ctx, driver } = parts;
  const path = join(ctx.paths.rootfs, `${VIEW}${ownedName(ctx.kernel)}`);
  mkdirSync(path, { mode: 0o700 });
  try {
    // steps of a build may bind it
    await driver.mountReadOnly(lowerOf(parts, topChainId), path, labelForAll());
  } catch (error) {
    unmountFolder(ctx, path);
    throw error;
  }
  return { path, [Symbol.asyncDispose]: async () => unmountFolder(ctx, path) };
}

/** Removes what killed builds left: mounted views, and root filesystems of steps whose containers were removed before. */
export async function removeStaleWork(ctx: EngineContext, containersDir: string): Promise<void> {
  const { kernel, paths } = ctx;
  for (const name of listFolder(paths.rootfs)) {
    const isStale = isOrphaned(kernel, name, VIEW) || isOrphaned(kernel, name, TEMPORARY_ROOTFS);
    if (isStale) unmountFolder(ctx, join(paths.rootfs, name));
  }
  for (const name of listFolder(containersDir)) {
    if (isOrphaned(kernel, name, TEMPORARY_ROOTFS)) await kernel.removeTree(join(containersDir, name));
  }
}

/** Labels the folders of the store: what is made in a folder has its label, and layers are made in tmp. */
export async function labelLayers(kernel: Kernel, root: string): Promise<void> {
  const label = layerLabel();
  if (label === undefined) return;
  mkdirSync(join(root, "tmp"), { recursive: true, mode: 0o700 });
  for (const name of ["layers", "tmp", "empty", "mount-points"])
    if (name !== "mount-points" || existsSync(join(root, name))) await relabelOwn(kernel, join(root, name), label);
}
