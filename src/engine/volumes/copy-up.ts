/** The first content of a volume: what the image has where the volume is mounted. */
import { chmodSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Kernel, OpenedPath } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { getVolume, markVolumePopulated } from "../state/volumes.js";
import { mountVolume } from "./content.js";
import { lockVolume, volumeFolder } from "./folders.js";

/**
 * Copies what the image has at `target` (inside the mounted `rootfs`) into a volume that is still empty and never had content, with owner
 * and mode of the folder itself. Later calls do nothing. True when it copied.
 */
export async function copyUp(ctx: EngineContext, name: string, rootfs: string, target: string): Promise<boolean> {
  const { kernel, state } = ctx;
  const isFresh = () => getVolume(state, name)?.populated === false;
  if (!isFresh()) return false;
  const data = await mountVolume(ctx, name);
  using _lock = await lockVolume(ctx, name);
  if (!isFresh()) return false;
  if (readdirSync(data).length > 0) {
    markVolumePopulated(state, name);
    return false;
  }
  using source = imagePath(kernel, rootfs, target);
  const stat = source?.stat();
  if (source === undefined || stat?.isDirectory() !== true) return false;
  const isMounted = kernel.isMountPoint(data);
  // Beside the data and renamed over it, so that a crash half way leaves an empty volume and not half a copy.
  const staging = isMounted ? data : join(volumeFolder(ctx, name), "_copy");
  if (!isMounted) {
    await kernel.removeTree(staging);
    mkdirSync(staging, { mode: 0o700 });
  }
  if (readdirSync(source.path).length > 0) {
    await kernel.unpackLayer({
      target: staging,
      whiteouts: "apply",
      input: kernel.packLayer({ source, overlay: false }),
      compression: "none",
    });
  }
  kernel.chown(staging, stat.uid, stat.gid);
  chmodSync(staging, stat.mode & 0o7777);
  if (!isMounted) renameSync(staging, data);
  markVolumePopulated(state, name);
  return true;
}

/** Where the image keeps what lies at `target`, or undefined when it has nothing there. */
function imagePath(kernel: Kernel, rootfs: string, target: string): OpenedPath | undefined {
  try {
    return kernel.openInRoot(rootfs, target);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    throw error;
  }
}
