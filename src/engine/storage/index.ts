/**
 * Layers and root filesystems. Owns everything under paths.storage and the mounts under paths.rootfs; knows no image names
 * and no registries. Folders: layers/SHORT/diff (complete, named by a row in `layers`), l/SHORT (short links for
 * lowerdir), containers/ID/{upper,work,top}, mount-points/ (under every container), tmp/ (work in progress), empty/.
 */
import { existsSync, mkdirSync, renameSync, rmdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { isOrphaned, ownedName } from "../owned-names.js";
import { labelForAll, layerLabel, relabelOwn } from "../selinux/index.js";
import { layerById, layerByShortId, layerStack } from "../state/layers.js";
import { openLayers, type StagedLayer, topLayerOf } from "./layers.js";
import { mountPointsLayer } from "./mount-points.js";
import { chooseDriver } from "./probe.js";
import { listFolder, openScratch, type ScratchPlace } from "./scratch.js";

export type { FinishedLayer, StagedLayer } from "./layers.js";
export { listFolder, openScratch, type Scratch, type ScratchPlace } from "./scratch.js";

const VIEW = "view-";
const TEMPORARY_ROOTFS = "build-";

/** An id for a rootfs that this command needs alone; when it is killed, a later one removes the rootfs. */
export function temporaryRootfsId(kernel: EngineContext["kernel"]): string {
  return `${TEMPORARY_ROOTFS}${ownedName(kernel)}`;
}

export interface Storage {
  readonly driver: "overlay" | "fuse-overlayfs" | "vfs";
  readonly whiteouts: "trusted" | "user" | "apply";
  /** Layers hold whole trees (vfs), so they must be made base first. */
  readonly cumulative: boolean;
  /** Only one uid is mapped: owners in layers cannot be kept. */
  readonly squashOwners: boolean;
  hasLayer(chainId: string): boolean;
  /** The folder with a layer's files; `TSC_STORAGE_LAYER_MISSING`. */
  layerDir(chainId: string): string;
  stageLayer(parentChainId: string): Promise<StagedLayer>;
  /** Takes a folder that is a layer already (an upper dir, unmounted): it is moved, not copied. */
  stageFolder(path: string): Promise<StagedLayer>;
  /** Makes the writable layer of a container. `topChainId` "" is an empty rootfs. Nothing is mounted. */
  createRootfs(containerId: string, topChainId: string): Promise<void>;
  /** Mounts if it is not mounted, with that SELinux label on all that is in it; the merged folder. */
  mountRootfs(containerId: string, label?: string): Promise<string>;
  /** Not mounted is no error. */
  unmountRootfs(containerId: string): Promise<void>;
  /** Unmounts and removes the writable layer; missing is no error. */
  removeRootfs(containerId: string): Promise<void>;
  /** The folder with the container's changes in overlay form; undefined for vfs. */
  upperDir(containerId: string): string | undefined;
  /** The upper folder, or with vfs the whole tree. */
  writableDir(containerId: string): string;
  /** Chain id a container's rootfs stands on; "" for none. */
  topOf(containerId: string): string;
  /** Mounts an image read-only under a key; the folder. Idempotent. */
  mountImage(key: string, topChainId: string, label?: string): Promise<string>;
  unmountImage(key: string): Promise<void>;
  /** Mounts an image read-only for this command alone: disposal ends it, or the next command when this one is killed. */
  viewImage(topChainId: string): Promise<ScratchPlace>;
  /** Removes layers unless a container's rootfs or another layer stands on them; the ids removed. */
  removeLayers(chainIds: readonly string[]): Promise<string[]>;
}

/** Opens the store's storage, choosing the driver once per boot and removing what killed commands left. */
export async function openStorage(ctx: EngineContext): Promise<Storage> {
  const { kernel, state, paths } = ctx;
  const root = paths.storage;
  const layersDir = join(root, "layers");
  const linksDir = join(root, "l");
  const containersDir = join(root, "containers");
  const empty = join(root, "empty");
  for (const folder of [layersDir, linksDir, containersDir, empty]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  // searchable: a container with its own user namespace walks this path as another uid
  mkdirSync(paths.rootfs, { recursive: true, mode: 0o711 });
  const scratch = openScratch(kernel, join(root, "tmp"));
  await scratch.removeStale();
  await labelLayers(kernel, root);
  await removeStaleWork(ctx, containersDir);
  const driver = await chooseDriver(ctx, empty, scratch);
  const layers = openLayers(ctx, scratch, { layers: layersDir, links: linksDir, containers: containersDir });
  const stacks = new Map<string, readonly string[]>();

  const containerDir = (id: string) => join(containersDir, checkKey(id));
  const mergedDir = (id: string) => join(paths.rootfs, checkKey(id));

  const lowerOf = (topChainId: string): readonly string[] => {
    if (topChainId === "") return [];
    const cached = stacks.get(topChainId);
    if (cached !== undefined) return cached;
    const stack = layerStack(state, topChainId);
    if (stack.length === 0 || stack.at(-1)?.parent !== "") throw missing(topChainId);
    const links = (driver.cumulative ? stack.slice(0, 1) : stack).map((layer) => join(linksDir, layer.shortId));
    stacks.set(topChainId, links);
    return links;
  };
  const topOf = (containerId: string): string => {
    const short = topLayerOf(containerDir(containerId));
    if (short === "") return "";
    const layer = layerByShortId(state, short);
    if (layer === undefined) throw missing(`of container ${containerId}`);
    return layer.chainId;
  };

  /** Mounts at `target` unless something is mounted there; callers at the same time wait for the same mount. */
  const mounting = new Map<string, Promise<string>>();
  const mountOnce = (target: string, mount: (target: string) => Promise<void>): Promise<string> => {
    const started = mounting.get(target);
    if (started !== undefined) return started;
    const work = (async () => {
      if (makeFolder(target) || !kernel.isMountPoint(target)) await mount(target);
      return target;
    })().finally(() => mounting.delete(target));
    mounting.set(target, work);
    return work;
  };

  return {
    driver: driver.name,
    whiteouts: driver.whiteouts,
    cumulative: driver.cumulative,
    squashOwners: ctx.env.TSCOMPOSE_ID_MAPPING === "single",
    hasLayer: (chainId) => layerById(state, chainId) !== undefined,
    layerDir(chainId) {
      const layer = layerById(state, chainId);
      if (layer === undefined) throw missing(chainId);
      return join(layersDir, layer.shortId, "diff");
    },
    async stageLayer(parentChainId) {
      const layer = layers.staged(scratch.folder());
      mkdirSync(layer.path, { mode: 0o755 });
      const parent = driver.cumulative ? lowerOf(parentChainId)[0] : undefined;
      await driver.seedLayer(layer.path, parent);
      return layer;
    },
    async stageFolder(path) {
      const layer = layers.staged(scratch.folder());
      renameSync(path, layer.path);
      // its files have the label of the container that made them
      const label = layerLabel();
      if (label !== undefined) await relabelOwn(kernel, layer.path, label);
      return layer;
    },
    async createRootfs(containerId, topChainId) {
      const folder = containerDir(containerId);
      const lower = lowerOf(topChainId);
      mkdirSync(folder, { mode: 0o700 });
      try {
        // the link is what keeps the layer from being removed, so it comes first
        const top = lower[0];
        if (top !== undefined) symlinkSync(`../../layers/${basename(top)}`, join(folder, "top"));
        await driver.prepare(folder, lower);
        // a removal that had looked before our link was there has deleted the row by now
        if (topChainId !== "" && layerById(state, topChainId) === undefined) throw missing(topChainId);
      } catch (error) {
        await kernel.removeTree(folder);
        throw error;
      }
    },
    mountRootfs: async (containerId, label) =>
      mountOnce(mergedDir(containerId), async (target) => {
        const image = lowerOf(topOf(containerId));
        // What a build step finds in its rootfs becomes part of an image, so that has only what its own mounts need.
        const isPlain = driver.cumulative || containerId.startsWith(TEMPORARY_ROOTFS);
        const lower = isPlain ? image : [...image, await mountPointsLayer(root, scratch)];
        await driver.mount({ lower, folder: containerDir(containerId), target, context: label });
      }),
    async unmountRootfs(containerId) {
      unmountFolder(ctx, mergedDir(containerId));
    },
    async removeRootfs(containerId) {
      unmountFolder(ctx, mergedDir(containerId));
      await kernel.removeTree(containerDir(containerId));
    },
    upperDir: (containerId) => driver.upperDir(containerDir(containerId)),
    writableDir: (containerId) => driver.writableDir(containerDir(containerId)),
    topOf,
    mountImage: async (key, topChainId, label) =>
      mountOnce(join(paths.rootfs, `image-${checkKey(key)}`), (target) =>
        driver.mountReadOnly(lowerOf(topChainId), target, label),
      ),
    async unmountImage(key) {
      unmountFolder(ctx, join(paths.rootfs, `image-${checkKey(key)}`));
    },
    async viewImage(topChainId) {
      const path = join(paths.rootfs, `${VIEW}${ownedName(kernel)}`);
      mkdirSync(path, { mode: 0o700 });
      try {
        // steps of a build may bind it
        await driver.mountReadOnly(lowerOf(topChainId), path, labelForAll());
      } catch (error) {
        unmountFolder(ctx, path);
        throw error;
      }
      return { path, [Symbol.asyncDispose]: async () => unmountFolder(ctx, path) };
    },
    removeLayers: (chainIds) => layers.remove(chainIds, () => stacks.clear()),
  };
}

function missing(what: string): TscError {
  return new TscError("TSC_STORAGE_LAYER_MISSING", `layer ${what} is not stored`, {
    kind: "not-found",
    hint: "pull the image again",
  });
}

/** What is made in a folder has its label, and layers are made in tmp. */
async function labelLayers(kernel: EngineContext["kernel"], root: string): Promise<void> {
  const label = layerLabel();
  if (label === undefined) return;
  mkdirSync(join(root, "tmp"), { recursive: true, mode: 0o700 });
  for (const name of ["layers", "tmp", "empty", "mount-points"])
    if (name !== "mount-points" || existsSync(join(root, name))) await relabelOwn(kernel, join(root, name), label);
}

/** What killed builds left: mounted views, and root filesystems of steps whose containers were removed before. */
async function removeStaleWork(ctx: EngineContext, containersDir: string): Promise<void> {
  const { kernel, paths } = ctx;
  for (const name of listFolder(paths.rootfs)) {
    const isStale = isOrphaned(kernel, name, VIEW) || isOrphaned(kernel, name, TEMPORARY_ROOTFS);
    if (isStale) unmountFolder(ctx, join(paths.rootfs, name));
  }
  for (const name of listFolder(containersDir)) {
    if (isOrphaned(kernel, name, TEMPORARY_ROOTFS)) await kernel.removeTree(join(containersDir, name));
  }
}

/** Ids become file names: refuse what could leave the folder. */
function checkKey(key: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(key)) return key;
  throw new TscError("TSC_STORAGE_KEY", `rootfs key ${JSON.stringify(key)} is not a plain name`, {
    kind: "invalid-input",
  });
}

/** False when it was there. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function unmountFolder(ctx: EngineContext, path: string): void {
  ctx.kernel.unmount(path, { detach: true });
  try {
    rmdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
