/**
 * What a step may see of a folder with an ignore file: a copy of what passes, because a bind mount of the folder itself shows
 * everything (BuildKit sends a builder the same selection). Made once per build and folder, and gone with the build.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createPace } from "../../lib/pace.js";
import { openScratch } from "../storage/index.js";
import type { SourceEntry, SourceTree } from "./context.js";
import type { BuildDeps, VisibleCopies } from "./deps.js";
import { EMPTY_VIEW } from "./rootfs-view.js";
import { layoutTar } from "./steps/layout.js";
import { folderItems } from "./steps/sources.js";

/** Copies that `stack` removes when it is disposed. */
export function visibleCopies(
  deps: BuildDeps,
  stack: AsyncDisposableStack,
  signal: AbortSignal | undefined,
): VisibleCopies {
  const copies = new Map<string, Promise<string>>();
  const make = async (tree: SourceTree, entry: SourceEntry): Promise<string> => {
    const { kernel, paths } = deps.ctx;
    const place = stack.use(openScratch(kernel, join(paths.storage, "tmp")).folder());
    const path = join(place.path, "files");
    mkdirSync(path);
    await copyVisible(deps, tree, entry, path, signal);
    return path;
  };
  return (tree, entry) => {
    const key = JSON.stringify([tree.root, entry.path]);
    const known = copies.get(key);
    if (known !== undefined) return known;
    const copy = make(tree, entry);
    copies.set(key, copy);
    // the next one to ask tries again
    copy.catch(() => copies.delete(key));
    return copy;
  };
}

/** Puts what `tree` shows below `entry` into a folder, which gets its mode. Throws a `SourceChangedError`. */
export async function copyVisible(
  deps: Pick<BuildDeps, "ctx" | "storage">,
  tree: SourceTree,
  entry: SourceEntry,
  target: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { kernel } = deps.ctx;
  const items = await folderItems(kernel, tree, entry, "", undefined, createPace(signal));
  const tar = layoutTar([{ kind: "folder", items }], {
    view: EMPTY_VIEW,
    owner: undefined,
    changeMode: undefined,
    link: true,
    problem: (message) => new Error(message),
    target: "/",
    isFolderTarget: true,
  });
  await kernel.unpackLayer(
    {
      target,
      whiteouts: "apply",
      squashOwners: deps.storage.squashOwners,
      input: Readable.from(tar, { objectMode: false }),
      compression: "none",
    },
    signal,
  );
  chmodSync(target, entry.stat.mode & 0o7777);
}
