/** Removal of many images, and of what no image has: by name of what goes, each looked at again under the locks. For the disk part. */
import type { FileLock } from "../../kernel/kernel.js";
import { allImages, containersOfImage, deleteImage, type ImageRow, imageById, namesOf } from "../state/images.js";
import { allLayers } from "../state/layers.js";
import { tryCollect } from "./collect.js";
import { chainIdsOf } from "./digest.js";
import { familiarName } from "./reference.js";
import { removeBlobs, withImagesLock } from "./store.js";
import { blobsOf, type StoreDeps } from "./store-deps.js";

/** An image with what it needs of the store. */
export interface ImageParts {
  readonly row: ImageRow;
  readonly tags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
}

/** What was really removed. */
export interface RemovedParts {
  readonly images: readonly string[];
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
}

/** Every image with its parts. */
export function imageParts({ ctx: { state }, blobs }: StoreDeps): ImageParts[] {
  return allImages(state).map((row) => {
    const { tags, digests } = namesOf(state, row.id);
    const layers = chainIdsOf(row.record.diffIds);
    return { row, tags, repoDigests: digests, layers, blobs: blobsOf(blobs, row) };
  });
}

/** Removes images with all their names, unless a container has come to use one or its tags are others than `tags` by now. */
export async function discardImages(
  deps: StoreDeps,
  images: readonly { readonly id: string; readonly tags: readonly string[] }[],
): Promise<RemovedParts> {
  const { ctx, storage, blobs } = deps;
  const { state } = ctx;
  const result = await withImagesLock(ctx, async () => {
    const rows = state.transaction(() => {
      const doomed = images.flatMap(({ id, tags }) => {
        const row = imageById(state, id);
        const isSame = row !== undefined && namesOf(state, id).tags.join("\n") === tags.join("\n");
        return isSame && containersOfImage(state, id).length === 0 ? [{ row, names: namesOf(state, id) }] : [];
      });
      for (const { row } of doomed) deleteImage(state, row.id);
      return doomed;
    });
    const kept = new Set(allImages(state).flatMap(({ record }) => chainIdsOf(record.diffIds)));
    const own = new Set(rows.flatMap(({ row }) => chainIdsOf(row.record.diffIds)).filter((id) => !kept.has(id)));
    const layers = await storage.removeLayers([...own]);
    const gone = rows.flatMap(({ row }) => removeBlobs({ ctx, storage, blobs }, row));
    return { rows, layers, blobs: gone };
  });
  for (const { row, names } of result.rows) {
    for (const tag of [...names.tags, ...names.digests]) {
      const name = familiarName(tag);
      ctx.emit({ type: "image", action: "untag", id: row.id, name, attributes: { name } });
    }
    ctx.emit({ type: "image", action: "delete", id: row.id, name: row.id, attributes: { name: row.id } });
  }
  return { images: result.rows.map(({ row }) => row.id), layers: result.layers, blobs: result.blobs };
}

/** Whether somebody makes layers or blobs now that may be about to belong to an image. */
export async function isStoreBusy(deps: StoreDeps): Promise<boolean> {
  using lock: FileLock | undefined = await tryCollect(deps.ctx);
  return lock === undefined;
}

/** Removes layers and blobs that belong to no image; nothing while somebody works. */
export async function discardUnused(
  deps: StoreDeps,
  unused: { readonly layers: readonly string[]; readonly blobs: readonly string[] },
): Promise<RemovedParts> {
  const { ctx, storage, blobs } = deps;
  return await withImagesLock(ctx, async () => {
    using lock: FileLock | undefined = await tryCollect(ctx);
    if (lock === undefined) return { images: [], layers: [], blobs: [] };
    const images = allImages(ctx.state);
    const wanted = new Set(images.flatMap(({ record }) => chainIdsOf(record.diffIds)));
    const layers = await storage.removeLayers(unused.layers.filter((id) => !wanted.has(id)));
    const used = new Set(images.flatMap((image) => blobsOf(blobs, image)));
    for (const { blobDigest } of allLayers(ctx.state)) used.add(blobDigest);
    const gone = unused.blobs.filter((digest) => !used.has(digest) && blobs.has(digest));
    for (const digest of gone) blobs.remove(digest);
    return { images: [], layers, blobs: gone };
  });
}
