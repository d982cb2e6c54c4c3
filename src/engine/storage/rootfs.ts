/** Root filesystems: a container's writable layer and what it stands on, mounted as one tree. */
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { layerById } from "../state/layers.js";
import { mountOnce, unmountFolder } from "./mount-once.js";
import { mountPointsLayer } from "./mount-points.js";
import { containerFolder, layerMissing, lowerOf, mergedFolder, type StorageParts, topOf } from "./parts.js";
import { isTemporaryRootfs } from "./temporary.js";

/** Makes the writable layer of a container; "" is an empty rootfs. Nothing is mounted. `TSC_STORAGE_LAYER_MISSING`. */
export async function createRootfs(parts: StorageParts, containerId: string, topChainId: string): Promise<void> {
  const { ctx, driver } = parts;
  const folder = containerFolder(parts, containerId);
  const lower = lowerOf(parts, topChainId);
  mkdirSync(folder, { mode: 0o700 });
  try {
    // the link is what keeps the layer from being removed, so it comes first
    const top = lower[0];
    if (top !== undefined) symlinkSync(`../../layers/${basename(top)}`, join(folder, "top"));
    await driver.prepare(folder, lower);
    // a removal that had looked before our link was there has deleted the row by then
    if (topChainId !== "" && layerById(ctx.state, topChainId) === undefined) throw layerMissing(topChainId);
  } catch (error) {
    await ctx.kernel.removeTree(folder);
    throw error;
  }
}

/** Mounts a container's rootfs if it is not mounted, with that SELinux label on all that is in it; the merged folder. */
export async function mountRootfs(parts: StorageParts, containerId: string, label?: string): Promise<string> {
  const { driver, root, scratch } = parts;
  return await mountOnce(parts, mergedFolder(parts, containerId), async (target) => {
    const image = lowerOf(parts, topOf(parts, containerId));
    // What a build step finds in its rootfs becomes part of an image, so that has only what its own mounts need.
    const isPlain = driver.cumulative || isTemporaryRootfs(containerId);
    const lower = isPlain ? image : [...image, await mountPointsLayer(root, scratch)];
    await driver.mount({ lower, folder: containerFolder(parts, containerId), target, context: label });
  });
}

/** Unmounts and removes a container's writable layer; missing is no error. */
export async function removeRootfs(parts: StorageParts, containerId: string): Promise<void> {
  unmountFolder(parts.ctx, mergedFolder(parts, containerId));
  await parts.ctx.kernel.removeTree(containerFolder(parts, containerId));
}
