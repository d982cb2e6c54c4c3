/**
 * Temporary folders and files that carry their owner in the name (`PID-STARTTIME-RANDOM`), so that whoever comes next can
 * tell the leavings of a killed command from work in progress. Used for layers and for blobs.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import { isOrphaned, ownedName } from "../owned-names.js";

/** A place of our own; disposing removes what is still there. */
export interface ScratchPlace extends AsyncDisposable {
  readonly path: string;
}

/** Space for work in progress. */
export interface Scratch {
  /** A fresh folder, 0700. */
  folder(): ScratchPlace;
  /** A path for a fresh file; nothing is made. */
  file(): ScratchPlace;
  /** Removes what dead processes left. */
  removeStale(): Promise<void>;
}

/** Scratch space in `root` (made when first needed). */
export function openScratch(kernel: Kernel, root: string): Scratch {
  const place = (): ScratchPlace => {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const path = join(root, ownedName(kernel));
    return { path, [Symbol.asyncDispose]: () => kernel.removeTree(path) };
  };
  return {
    folder() {
      const made = place();
      mkdirSync(made.path, { mode: 0o700 });
      return made;
    },
    file: place,
    async removeStale() {
      for (const name of listFolder(root)) {
        if (!isOrphaned(kernel, name)) continue;
        // where scratch layers are put together; a removal crosses no mounts
        if (kernel.isMountPoint(join(root, name, "merged")))
          kernel.unmount(join(root, name, "merged"), { detach: true });
        await kernel.removeTree(join(root, name));
      }
    },
  };
}

/** Names in a folder; none when there is no folder. */
export function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
