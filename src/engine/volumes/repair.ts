/** What crashes left of volumes. */
import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, ignoreMissing } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { isOrphaned } from "../owned-names.js";
import { getVolume, volumeNames } from "../state/volumes.js";
import { REMOVING, volumeFolder } from "./folders.js";

/** Finishes removals that a crash interrupted. One look at the folder when there are none. */
export async function repairVolumes(ctx: EngineContext): Promise<void> {
  const { paths, state, kernel } = ctx;
  const names = namesIn(paths.volumes);
  if (names.length === 0) return;
  const known = new Set(volumeNames(state));
  for (const name of names) {
    if (isOrphaned(kernel, name, REMOVING)) await kernel.removeTree(join(paths.volumes, name));
    // A folder without a row and without content is a creation that was cut short; content is never thrown away. In a
    // transaction, because the folder of a volume is made in the one that adds its row.
    else if (!known.has(name) && !name.startsWith(REMOVING)) {
      state.transaction(() => {
        if (getVolume(state, name) === undefined) removeIfEmpty(volumeFolder(ctx, name));
      });
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return ignoreMissing(error) ?? [];
  }
}

function removeIfEmpty(path: string): void {
  for (const step of [join(path, "_data"), path]) {
    try {
      rmdirSync(step);
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "ENOTEMPTY" && code !== "ENOENT" && code !== "EBUSY" && code !== "ENOTDIR") throw error;
    }
  }
}
