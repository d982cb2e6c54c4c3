/**
 * Makes an image visible, and unmakes it: the one place where image rows, names, layers and blobs change together. Everything
 * an image needs is checked and its row written under one lock and in one transaction; removal takes the same lock, so an
 * image never points at something that was just removed.
 */
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import {
  allImages,
  besideName,
  containersOfImage,
  copyBesideNames,
  deleteImage,
  dropImageName,
  type ImageRecord,
  type ImageRow,
  imageById,
  imageByName,
  namesOf,
  putImage,
  setImageName,
} from "../state/images.js";
import type { State } from "../state/index.js";
import { allLayers, layerById } from "../state/layers.js";
import { takeLock } from "../take-lock.js";
import type { ImageInfo } from "../types.js";
import { chainIdsOf } from "./digest.js";
import { formatPlatform, hostPlatform, platformMatches } from "./platform.js";
import { infoOf, requireImage } from "./records.js";
import { familiarName, fullName, parseReference } from "./reference.js";
import { blobsOf, type StoreDeps } from "./store-deps.js";

/** An image about to become visible. Its config (and manifest) are blobs already. */
export interface NewImage {
  readonly record: Omit<ImageRecord, "sizeBytes">;
  /** "" when there is no manifest yet. */
  readonly manifestDigest: string;
  readonly tags: readonly string[];
  /** `name@sha256:…` */
  readonly repoDigests: readonly string[];
  /**
   * What becomes of names that another image has. `take` (default): they are taken from it. `yield`: an image for this machine keeps them
   * before one for another; the loser stands beside it. `leave`: whoever has them keeps them.
   */
  readonly names?: NamePolicy;
}

/** See `NewImage.names`. */
export type NamePolicy = "take" | "yield" | "leave";

/** Runs `work` with the image lock, which all commands share. */
export async function withImagesLock<T>(ctx: EngineContext, work: () => Promise<T>): Promise<T> {
  using _lock = await takeLock(ctx, "images.lock", "the list of images");
  return await work();
}

/**
 * Records the image and points its names at it. Undefined when a layer or blob it needs has gone meanwhile (another command
 * removed it): the caller fetches that again.
 */
export async function recordImage(
  { ctx, blobs }: StoreDeps,
  image: NewImage,
): Promise<{ info: ImageInfo; changed: boolean } | undefined> {
  const { state } = ctx;
  return await withImagesLock(ctx, async () =>
    state.transaction(() => {
      const layers = chainIdsOf(image.record.diffIds).map((chainId) => layerById(state, chainId));
      if (layers.includes(undefined) || !blobs.has(image.record.id)) return undefined;
      if (image.manifestDigest !== "" && !blobs.has(image.manifestDigest)) return undefined;
      const sizeBytes = layers.reduce((sum, layer) => sum + (layer?.sizeBytes ?? 0), 0);
      // a second manifest for a config we have may name blobs we do not keep; the first stays
      const existing = imageById(state, image.record.id);
      const keepsManifest = existing !== undefined && existing.manifestDigest !== "";
      const row: ImageRow = {
        id: image.record.id,
        manifestDigest: keepsManifest ? existing.manifestDigest : image.manifestDigest,
        record: { ...image.record, sizeBytes },
      };
      let changed = putImage(state, row);
      const policy = image.names ?? "take";
      for (const tag of image.tags) changed = giveName(state, tag, row, "tag", policy) || changed;
      for (const name of image.repoDigests) giveName(state, name, row, "digest", policy);
      return { info: infoOf(state, row), changed };
    }),
  );
}

/** Gives the row the name, or one beside the image that keeps it; true when that changes something. */
function giveName(state: State, name: string, row: ImageRow, kind: "tag" | "digest", policy: NamePolicy): boolean {
  const owner = imageByName(state, name);
  if (owner === undefined || owner.id === row.id || policy === "take") {
    return setImageName(state, name, row.id, kind) !== row.id;
  }
  const platforms = { own: formatPlatform(row.record), other: formatPlatform(owner.record) };
  const isOtherPlatform = platforms.own !== platforms.other;
  const isOurs = (record: ImageRecord): boolean =>
    record.architecture === "" || platformMatches(hostPlatform(), record);
  if (policy === "leave" || (isOurs(owner.record) && !isOurs(row.record))) {
    if (!isOtherPlatform) return false;
    return setImageName(state, besideName(name, platforms.own), row.id, "beside") !== row.id;
  }
  if (isOtherPlatform) setImageName(state, besideName(name, platforms.other), owner.id, "beside");
  setImageName(state, name, row.id, kind);
  return true;
}

/** Gives an image one more name, taking it from another image if need be. */
export async function tagImage({ ctx }: StoreDeps, source: string, target: string): Promise<void> {
  const reference = parseReference(target);
  if (reference.digest !== undefined) {
    throw new TscError("TSC_IMAGE_REFERENCE_INVALID", `cannot tag with a digest: ${target}`, { kind: "invalid-input" });
  }
  const name = fullName(reference);
  const id = await withImagesLock(ctx, async () =>
    ctx.state.transaction(() => {
      const row = requireImage(ctx.state, source);
      // a name stands for all its platforms, an id for one
      const from = source.startsWith("sha256:") ? undefined : nameOf(source);
      if (from !== name) copyBesideNames(ctx.state, from, name);
      setImageName(ctx.state, name, row.id, "tag");
      return row.id;
    }),
  );
  ctx.emit({ type: "image", action: "tag", id, name: familiarName(name), attributes: { name: familiarName(name) } });
}

/** docker's rules for `rmi`; see `ImagesApi.remove`. */
export async function removeImage(
  deps: StoreDeps,
  reference: string,
  force: boolean,
): Promise<{ untagged: string[]; deleted: string[] }> {
  const { ctx } = deps;
  const { state } = ctx;
  const result = await withImagesLock(ctx, async () => {
    const removal = state.transaction(() => unname(deps, reference, force));
    if (!removal.isDeleted) return { ...removal, deleted: [] };
    const { collectGarbage } = await import("./collect.js");
    const layers = await collectGarbage(deps, chainIdsOf(removal.row.record.diffIds));
    return { ...removal, deleted: [removal.row.id, ...layers] };
  });
  const { row, untagged, deleted } = result;
  for (const name of untagged) {
    ctx.emit({
      type: "image",
      action: "untag",
      id: row.id,
      name: familiarName(name),
      attributes: { name: familiarName(name) },
    });
  }
  if (deleted.length > 0)
    ctx.emit({ type: "image", action: "delete", id: row.id, name: row.id, attributes: { name: row.id } });
  return { untagged: untagged.map(familiarName), deleted };
}

/** Drops names, and the row when it was the last; inside a transaction. */
function unname(
  { ctx: { state } }: StoreDeps,
  reference: string,
  force: boolean,
): { row: ImageRow; untagged: string[]; isDeleted: boolean } {
  const row = requireImage(state, reference);
  const names = namesOf(state, row.id);
  const byId =
    reference.startsWith("sha256:") || (/^[0-9a-f]+$/.test(reference) && !names.tags.includes(nameOf(reference)));
  const users = containersOfImage(state, row.id);
  const running = users.find(
    (user) => user.state === "running" || user.state === "paused" || user.state === "restarting",
  );
  const user = running ?? users[0];
  const inUse = (why: string, hint: string) =>
    new TscError("TSC_IMAGE_IN_USE", `conflict: unable to remove image ${reference}: ${why}`, {
      kind: "conflict",
      hint,
    });
  if (!byId) {
    const name = nameOf(reference);
    const isDigestName = name.includes("@");
    const others = names.tags.filter((tag) => tag !== name);
    const isLast = isDigestName ? names.tags.length === 0 && names.digests.length <= 1 : others.length === 0;
    if (!isLast) {
      const repository = name.replace(/(?:@[^@]+|:[^:/]+)$/, "");
      const keepsRepository = others.some((tag) => tag.startsWith(`${repository}:`));
      const digests =
        isDigestName || keepsRepository ? [] : names.digests.filter((one) => one.startsWith(`${repository}@`));
      const untagged = [name, ...digests].filter((one) => dropImageName(state, one, row.id));
      return { row, untagged, isDeleted: false };
    }
  } else if (names.tags.length > 1 && !force) {
    throw inUse("it has several names", "remove the names one by one, or force");
  }
  if (user !== undefined && !force) {
    throw inUse(`container ${user.name} is using it`, "remove the container first, or force");
  }
  if (running !== undefined && byId) {
    throw inUse(`container ${running.name} is running from it`, "stop the container first");
  }
  const untagged = [...names.tags, ...names.digests];
  for (const name of untagged) dropImageName(state, name, row.id);
  // the row of a running container's image stays: its config is still asked for
  if (running !== undefined) return { row, untagged, isDeleted: false };
  deleteImage(state, row.id);
  return { row, untagged, isDeleted: true };
}

function nameOf(reference: string): string {
  return fullName(parseReference(reference));
}

/** Removes the blobs of an image that no other image and no layer needs; the images lock is held. Those that were there. */
export function removeBlobs({ ctx: { state }, blobs }: StoreDeps, row: ImageRow): string[] {
  const mine = new Set(blobsOf(blobs, row));
  for (const other of allImages(state)) for (const digest of blobsOf(blobs, other)) mine.delete(digest);
  for (const layer of allLayers(state)) mine.delete(layer.blobDigest);
  const stored = [...mine].filter((digest) => blobs.has(digest));
  for (const digest of stored) blobs.remove(digest);
  return stored;
}
