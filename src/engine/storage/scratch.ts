/**
 * Temporary folders and files that carry their owner in the name (`PID-STARTTIME-RANDOM`), so that whoever comes next can
 * tell the leavings of a killed command from work in progress. Used for layers and for blobs.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";

/** `PID-STARTTIME-RANDOM` of this process: a name for something that ends with it. */
export function ownedName(kernel: Kernel): string {
  return `${process.pid}-${kernel.processIdentity(process.pid)?.startTime ?? "0"}-${randomBytes(8).toString("hex")}`;
}

/** True for an owned name (after `prefix`) whose process is no more. */
export function isOrphaned(kernel: Kernel, name: string, prefix = ""): boolean {
  const match = name.startsWith(prefix) ? /^(\d+)-(\d+)-[0-9a-f]+$/.exec(name.slice(prefix.length)) : null;
  if (match === null) return false;
  const owner = { pid: Number(match[1]), startTime: match[2] ?? "" };
  const isOwn = owner.pid === process.pid && kernel.processIdentity(owner.pid)?.startTime === owner.startTime;
  return !isOwn && !kernel.isAlive(owner);
}

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
