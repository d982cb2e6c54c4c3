/** Opening the store of layers, and each call handed to the function that does it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { EngineContext } from "../context.js";
import { layerById } from "../state/layers.js";
import { openLayers } from "./layers.js";
import { mountOnce, unmountFolder } from "./mount-once.js";
import {
  containerFolder,
  imageFolder,
  layerMissing,
  lowerOf,
  mergedFolder,
  type StorageParts,
  topOf,
} from "./parts.js";
import { chooseDriver } from "./probe.js";
import { createRootfs, mountRootfs, removeRootfs } from "./rootfs.js";
import { openScratch } from "./scratch.js";
import { stageFolder, stageLayer } from "./stage.js";
import type { Storage } from "./storage-api.js";
import { labelLayers, removeStaleWork, viewImage } from "./temporary.js";

/** Opens the store's storage, choosing the driver once per boot and removing what killed commands left. `TSC_STORAGE_DRIVER`. */
export async function openStorage(ctx: EngineContext): Promise<Storage> {
  const parts = await openParts(ctx);
  const { driver, folders, layers, stacks } = parts;
  return {
    driver: driver.name,
    whiteouts: driver.whiteouts,
    cumulative: driver.cumulative,
    squashOwners: ctx.env.TSCOMPOSE_ID_MAPPING === "single",
    hasLayer: (chainId) => layerById(ctx.state, chainId) !== undefined,
    layerDir(chainId) {
      const layer = layerById(ctx.state, chainId);
      if (layer === undefined) throw layerMissing(chainId);
      return join(folders.layers, layer.shortId, "diff");
    },
    stageLayer: (parentChainId) => stageLayer(parts, parentChainId),
    stageFolder: (path) => stageFolder(parts, path),
    createRootfs: (containerId, topChainId) => createRootfs(parts, containerId, topChainId),
    mountRootfs: (containerId, label) => mountRootfs(parts, containerId, label),
    unmountRootfs: async (containerId) => unmountFolder(ctx, mergedFolder(parts, containerId)),
    removeRootfs: (containerId) => removeRootfs(parts, containerId),
    upperDir: (containerId) => driver.upperDir(containerFolder(parts, containerId)),
    writableDir: (containerId) => driver.writableDir(containerFolder(parts, containerId)),
    topOf: (containerId) => topOf(parts, containerId),
    mountImage: async (key, topChainId, label) =>
      mountOnce(parts, imageFolder(parts, key), (target) =>
        driver.mountReadOnly(lowerOf(parts, topChainId), target, label),
      ),
    unmountImage: async (key) => unmountFolder(ctx, imageFolder(parts, key)),
    viewImage: (topChainId) => viewImage(parts, topChainId),
    removeLayers: (chainIds) => layers.remove(chainIds, () => stacks.clear()),
  };
}

async function openParts(ctx: EngineContext): Promise<StorageParts> {
  const root = ctx.paths.storage;
  const folders = { layers: join(root, "layers"), links: join(root, "l"), containers: join(root, "containers") };
  const empty = join(root, "empty");
  for (const folder of [...Object.values(folders), empty]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  // searchable: a container with its own user namespace walks this path as another uid
  mkdirSync(ctx.paths.rootfs, { recursive: true, mode: 0o711 });
  const scratch = openScratch(ctx.kernel, join(root, "tmp"));
  await scratch.removeStale();
  await labelLayers(ctx.kernel, root);
  await removeStaleWork(ctx, folders.containers);
  const driver = await chooseDriver(ctx, empty, scratch);
  const layers = openLayers(ctx, scratch, folders);
  return { ctx, root, folders, driver, layers, scratch, stacks: new Map(), mounting: new Map() };
}
