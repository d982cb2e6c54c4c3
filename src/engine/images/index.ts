/**
 * Images: pull, push, load, save, names and removal. The public face of this folder; building is src/engine/builder. Opening
 * reads nothing: a command that touches no registry loads no registry code.
 */

import type { FileLock } from "../../kernel/kernel.js";
import type { ImagesApi, LoginsApi } from "../api.js";
import type { EngineContext } from "../context.js";
import { type LayerRow, layerById } from "../state/layers.js";
import type { Storage } from "../storage/index.js";
import type { ImageInfo } from "../types.js";
import { openBlobs } from "./blobs.js";
import type { CommitLayerRequest, CreateImageRequest } from "./create.js";
import { chainIdsOf } from "./digest.js";
import type { ImageParts, RemovedParts } from "./prune.js";
import { findImage, infoOf, listImages, requireImage } from "./records.js";
import type { HttpClient } from "./registry/http.js";
import type { Registries } from "./registry/index.js";
import { removeImage, tagImage } from "./store.js";

export { chainIdOf } from "./digest.js";
export { formatPlatform, hostPlatform, parsePlatform } from "./platform.js";
export { familiarName } from "./reference.js";

export interface Images extends Omit<ImagesApi, "build" | "checkBuild">, Disposable {
  /** Nothing that no image refers to is removed from the store, by this command or another, while `work` runs. */
  holding<T>(work: () => Promise<T>): Promise<T>;
  /** Makes a layer of a folder of changes; for the builder and `commit`. */
  commitLayer(request: CommitLayerRequest): Promise<LayerRow>;
  /** Stores an image made of layers that are here; for the builder and `commit`. */
  createImage(request: CreateImageRequest): Promise<ImageInfo>;
  /** The raw config JSON of a stored image, to derive another from. */
  readConfig(id: string): Readonly<Record<string, unknown>>;
  /** What `login` and `logout` do. */
  logins(): Promise<LoginsApi>;
  /** Every image with the layers and blobs it needs. */
  parts(): Promise<readonly ImageParts[]>;
  /** Whether layers and blobs are in the making. */
  isBusy(): Promise<boolean>;
  /** Removes images that no container uses and whose tags are still these, with all that only they need. */
  discard(images: readonly { readonly id: string; readonly tags: readonly string[] }[]): Promise<RemovedParts>;
  /** Removes layers and blobs that belong to no image; nothing while layers and blobs are in the making. */
  discardUnused(unused: {
    readonly layers: readonly string[];
    readonly blobs: readonly string[];
  }): Promise<RemovedParts>;
}

/** A client for what a build downloads: no credentials, certificates of the system, the same rules for redirects. */
export async function openDownloads(env: EngineContext["env"]): Promise<HttpClient> {
  const { createHttpClient } = await import("./registry/http.js");
  return createHttpClient({ env, userAgent: "tscompose", tlsFor: () => ({}), isNamed: () => false });
}

/** Opens the image store of an engine. Dispose to close kept connections. */
export function openImages(ctx: EngineContext, storage: Storage): Images {
  const blobs = openBlobs(ctx);
  const deps = { ctx, storage, blobs };
  let registries: Promise<Registries> | undefined;
  let hold: Promise<FileLock> | undefined;
  let users = 0;
  /** Keeps layers without an image from being collected while `work` runs. */
  const holding = async <T>(work: () => Promise<T>): Promise<T> => {
    const { holdStore } = await import("./collect.js");
    hold ??= holdStore(ctx);
    users++;
    try {
      await hold;
      return await work();
    } finally {
      if (--users === 0 && !isBuilding) releaseHold();
    }
  };
  const releaseHold = () => {
    hold?.then(
      (lock) => lock.release(),
      () => {},
    );
    hold = undefined;
  };
  /** From the first layer made here until the engine closes: its image is recorded by somebody else, later. */
  let isBuilding = false;
  let tidied: Promise<void> | undefined;
  /** What killed commands left unfinished goes before the first work that makes files of that kind. */
  const tidy = (): Promise<void> => {
    tidied ??= blobs.removeStale();
    return tidied;
  };
  const withRegistries = async () => {
    registries ??= (async () => {
      await tidy();
      return (await import("./registry/index.js")).openRegistries(ctx);
    })();
    return { ...deps, registries: await registries };
  };
  let pulling: ReturnType<typeof loadPull> | undefined;
  const loadPull = async () => {
    const { pullImage, pullState } = await import("./pull.js");
    const pullDeps = { ...(await withRegistries()), ...pullState() };
    return (reference: string, options: Parameters<ImagesApi["pull"]>[1]) =>
      pullImage(pullDeps, reference, options ?? {});
  };
  return {
    holding,
    async pull(reference, options) {
      pulling ??= loadPull();
      const pull = await pulling;
      return await holding(() => pull(reference, options));
    },
    async push(reference, options) {
      const { pushImage } = await import("./push.js");
      return await pushImage(await withRegistries(), reference, options ?? {});
    },
    async pushArtifact(request) {
      const { pushArtifact: push } = await import("./artifact.js");
      return await push(await withRegistries(), request);
    },
    async fetchArtifact(reference, options) {
      const { fetchArtifact: fetch } = await import("./fetch-artifact.js");
      return await fetch((await withRegistries()).registries, reference, options?.signal);
    },
    async resolveDigest(reference) {
      const { resolveDigest } = await import("./resolve.js");
      return await resolveDigest((await withRegistries()).registries, reference);
    },
    async load(path, options) {
      const { loadImages } = await import("./load.js");
      await tidy();
      return await holding(() => loadImages(deps, path, options?.onProgress, options?.signal));
    },
    async save(references, path) {
      const { saveImages } = await import("./save.js");
      await saveImages(deps, references, path);
    },
    async commitLayer(request) {
      const { commitLayer } = await import("./create.js");
      isBuilding = true;
      return await holding(() => commitLayer(deps, request));
    },
    async createImage(request) {
      const { createImage } = await import("./create.js");
      await tidy();
      return await holding(() => createImage(deps, request));
    },
    readConfig: (id) => JSON.parse(blobs.read(id).toString("utf8")) as Record<string, unknown>,
    async find(reference, platform) {
      const row = findImage(ctx.state, reference, platform);
      return row === undefined ? undefined : infoOf(ctx.state, row);
    },
    inspect: async (reference, platform) => infoOf(ctx.state, requireImage(ctx.state, reference, platform)),
    list: async () => listImages(ctx.state),
    layerSizes: async (reference) =>
      chainIdsOf(requireImage(ctx.state, reference).record.diffIds).map(
        (chainId) => layerById(ctx.state, chainId)?.sizeBytes ?? 0,
      ),
    tag: (source, target) => tagImage(deps, source, target),
    remove: (reference, options) => removeImage(deps, reference, options?.force ?? false),
    logins: async () => {
      const { openLogins } = await import("./login.js");
      return openLogins(ctx, async () => (await withRegistries()).registries);
    },
    parts: async () => (await import("./prune.js")).imageParts(deps),
    isBusy: async () => (await import("./prune.js")).isStoreBusy(deps),
    discard: async (images) => (await import("./prune.js")).discardImages(deps, images),
    discardUnused: async (unused) => (await import("./prune.js")).discardUnused(deps, unused),
    [Symbol.dispose]() {
      releaseHold();
      registries?.then(
        (open) => open[Symbol.dispose](),
        () => {},
      );
    },
  };
}
