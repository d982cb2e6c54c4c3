/**
 * Temporary folders and files that carry their owner in the name (`PID-STARTTIME-RANDOM`), so that whoever comes next can
 * tell the leavings of a killed command from work in progress. Used for layers and for blobs.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";

/** A place of our own; disposing removes what is still there. */
export interface ScratchPlace extends AsyncDisposable {
  readonly path: string;
}

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
  const self = kernel.processIdentity(process.pid);
  const prefix = `${process.pid}-${self?.startTime ?? "0"}-`;
  const place = (): ScratchPlace => {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const path = join(root, prefix + randomBytes(8).toString("hex"));
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
        const match = /^(\d+)-(\d+)-[0-9a-f]+$/.exec(name);
        if (match === null) continue;
        const owner = { pid: Number(match[1]), startTime: match[2] ?? "" };
        if (name.startsWith(prefix) || kernel.isAlive(owner)) continue;
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
