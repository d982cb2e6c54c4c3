/** The images of an engine: each call handed to the function that does it, loaded when it is first used. */
import type { ImagesApi } from "../api.js";
import type { EngineContext } from "../context.js";
import { layerById } from "../state/layers.js";
import type { Storage } from "../storage/index.js";
import { openBlobs } from "./blobs.js";
import { chainIdsOf } from "./digest.js";
import { StoreHold } from "./hold.js";
import type { Images } from "./images-api.js";
import { findImage, infoOf, listImages, requireImage } from "./records.js";
import type { Registries } from "./registry/index.js";
import { removeImage, tagImage } from "./store.js";

const loadCreate = () => import("./create.js");
const loadPrune = () => import("./prune.js");

/** Opens the image store of an engine; reads nothing before it is asked. Dispose to close kept connections. */
export function openImages(ctx: EngineContext, storage: Storage): Images {
  const blobs = openBlobs(ctx);
  const deps = { ctx, storage, blobs };
  const hold = new StoreHold(ctx);
  let tidied: Promise<void> | undefined;
  /** What killed commands left unfinished goes before the first work that makes files of that kind. */
  const tidy = (): Promise<void> => {
    tidied ??= blobs.removeStale();
    return tidied;
  };
  let registries: Promise<Registries> | undefined;
  const openRegistries = async (): Promise<Registries> => {
    await tidy();
    return (await import("./registry/index.js")).openRegistries(ctx);
  };
  const withRegistries = async () => {
    registries ??= openRegistries();
    return { ...deps, registries: await registries };
  };
  const loadPull = async () => {
    const { pullImage, pullState } = await import("./pull.js");
    const pullDeps = { ...(await withRegistries()), ...pullState() };
    return (reference: string, options: Parameters<ImagesApi["pull"]>[1]) =>
      pullImage(pullDeps, reference, options ?? {});
  };
  let pulling: ReturnType<typeof loadPull> | undefined;
  return {
    holding: (work) => hold.during(work),
    async pull(reference, options) {
      pulling ??= loadPull();
      const pull = await pulling;
      return await hold.during(() => pull(reference, options));
    },
    push: async (reference, options) =>
      (await import("./push.js")).pushImage(await withRegistries(), reference, options ?? {}),
    pushArtifact: async (request) => (await import("./artifact.js")).pushArtifact(await withRegistries(), request),
    fetchArtifact: async (reference, options) =>
      (await import("./fetch-artifact.js")).fetchArtifact(
        (await withRegistries()).registries,
        reference,
        options?.signal,
      ),
    resolveDigest: async (reference) =>
      (await import("./resolve.js")).resolveDigest((await withRegistries()).registries, reference),
    async load(path, options) {
      const { loadImages } = await import("./load.js");
      await tidy();
      return await hold.during(() => loadImages(deps, path, options?.onProgress, options?.signal));
    },
    save: async (references, path) => (await import("./save.js")).saveImages(deps, references, path),
    async commitLayer(request) {
      const { commitLayer } = await loadCreate();
      hold.keep();
      return await hold.during(() => commitLayer(deps, request));
    },
    async createImage(request) {
      const { createImage } = await loadCreate();
      await tidy();
      return await hold.during(() => createImage(deps, request));
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
    logins: async () => (await import("./login.js")).openLogins(ctx, async () => (await withRegistries()).registries),
    parts: async () => (await loadPrune()).imageParts(deps),
    isBusy: async () => (await loadPrune()).isStoreBusy(deps),
    discard: async (images) => (await loadPrune()).discardImages(deps, images),
    discardUnused: async (unused) => (await loadPrune()).discardUnused(deps, unused),
    [Symbol.dispose]() {
      hold[Symbol.dispose]();
      registries?.then(
        (open) => open[Symbol.dispose](),
        () => {},
      );
    },
  };
}
