/**
 * Garbage: layers and blobs that no image, container or unfinished work needs (a killed pull leaves finished layers behind).
 * Everybody who makes or reuses layers holds `store-use.lock` shared until their image is recorded; collecting takes it exclusively, and
 * is left to another time when somebody works. Nothing else removes layers and blobs, so what a build, pull or load has found stays.
 */
import { join } from "node:path";
import type { FileLock } from "../../kernel/kernel.js";
import type { EngineContext } from "../context.js";
import { listSteps } from "../state/build-steps.js";
import { allImages } from "../state/images.js";
import { allLayers } from "../state/layers.js";
import { listFolder } from "../storage/index.js";
import { takeLock } from "../take-lock.js";
import { chainIdsOf } from "./digest.js";
import { blobsOf, type StoreDeps } from "./store.js";

const LOCK = "store-use.lock";

/** Held while layers and blobs exist that nothing refers to yet. */
export function holdStore(ctx: EngineContext): Promise<FileLock> {
  return takeLock(ctx, LOCK, "the store of layers", { shared: true });
}

/** The right to collect; undefined while somebody works. */
export function tryCollect(ctx: EngineContext): Promise<FileLock | undefined> {
  return ctx.kernel.lockFile(join(ctx.paths.locks, LOCK), { wait: false });
}

/**
 * Removes what nothing refers to; the images lock is held. Results of build steps stay until the build cache is pruned, but for those
 * among `unwanted` (layers of an image that was removed on request). The layers removed.
 */
export async function collectGarbage(deps: StoreDeps, unwanted: readonly string[]): Promise<string[]> {
  const { ctx, storage, blobs } = deps;
  using lock = await tryCollect(ctx);
  if (lock === undefined) return [];
  const images = allImages(ctx.state);
  const wanted = new Set(images.flatMap((image) => chainIdsOf(image.record.diffIds)));
  const cached = new Set(listSteps(ctx.state).flatMap(({ record }) => record.chainId ?? []));
  for (const chainId of unwanted) cached.delete(chainId);
  const layers = allLayers(ctx.state).filter(({ chainId }) => !wanted.has(chainId) && !cached.has(chainId));
  const removed = layers.length === 0 ? [] : await storage.removeLayers(layers.map((layer) => layer.chainId));
  const used = new Set(images.flatMap((image) => blobsOf(blobs, image)));
  for (const layer of allLayers(ctx.state)) used.add(layer.blobDigest);
  for (const name of listFolder(join(ctx.paths.images, "blobs", "sha256"))) {
    const digest = `sha256:${name}`;
    if (!used.has(digest) && /^[0-9a-f]{64}$/.test(name)) blobs.remove(digest);
  }
  return removed;
}
