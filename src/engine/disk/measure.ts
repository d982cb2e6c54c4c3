/** What trees of files take on disk. Reads metadata only. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel, OpenedPath } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import type { Pace } from "../../lib/pace.js";

const BLOCK_BYTES = 512;
const GONE = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);

/**
 * Bytes of allocated blocks of `root` and everything below it: a file with several names counts once, another file system's not at all.
 * What is removed meanwhile counts nothing; a missing `root` is 0. Folders are looked up inside `root`, so nobody who changes them leads out.
 */
export async function allocatedBytes(kernel: Kernel, root: string, pace: Pace): Promise<number> {
  const top = ifThere(() => lstatSync(root));
  if (top === undefined) return 0;
  let bytes = top.blocks * BLOCK_BYTES;
  if (!top.isDirectory()) return bytes;
  const counted = new Set<string>();
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const path = folder;
    using opened: OpenedPath | undefined = ifThere(() => kernel.openInRoot(root, path));
    if (opened === undefined) continue;
    for (const name of ifThere(() => readdirSync(opened.path)) ?? []) {
      await pace();
      const stat = ifThere(() => lstatSync(join(opened.path, name)));
      if (stat === undefined || stat.dev !== top.dev) continue;
      if (stat.nlink > 1 && !stat.isDirectory()) {
        const inode = String(stat.ino);
        if (counted.has(inode)) continue;
        counted.add(inode);
      }
      bytes += stat.blocks * BLOCK_BYTES;
      if (stat.isDirectory()) pending.push(path === "" ? name : `${path}/${name}`);
    }
  }
  return bytes;
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
