/** Taking away from a tree. */
import { isMap, type Path, type Tree } from "../tree.js";

/** Removes what a `!reset` or `!override` path names. */
export function removePath(tree: Tree, path: Path): void {
  let node: Tree | undefined = tree;
  for (let i = 0; i < path.length - 1; i++) {
    const part = path[i];
    node = Array.isArray(node) && typeof part === "number" ? node[part] : isMap(node) ? node[String(part)] : undefined;
  }
  const last = path.at(-1);
  // an item's index says nothing about the items of another file's list: only keys are removed
  if (isMap(node) && last !== undefined) delete node[String(last)];
}
