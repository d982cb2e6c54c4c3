/** What is at a path of a container. */
import { type CopyDeps, type CopyTarget, withTree } from "./target.js";

/** What is at a path, or undefined. A link is described, not followed. */
export async function statIn(deps: CopyDeps, target: CopyTarget, path: string) {
  return await withTree(deps, target, async (tree) => {
    const { stat, linkTarget } = tree.locate(path, false);
    if (stat === undefined) return undefined;
    return {
      isDirectory: stat.isDirectory(),
      isSymlink: stat.isSymbolicLink(),
      linkTarget,
      mode: stat.mode & 0o7777,
      sizeBytes: stat.size,
    };
  });
}
