/** Network namespaces that are kept by a mount of theirs on a file. */
import { statfsSync } from "node:fs";

const NSFS_MAGIC = 0x6e736673;

/** True while a namespace is pinned at `path`. */
export function isPinned(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}
