/**
 * Layers and root filesystems. Owns everything under paths.storage and the mounts under paths.rootfs; knows no image names
 * and no registries. Folders: layers/SHORT/diff (complete, named by a row in `layers`), l/SHORT (short links for
 * lowerdir), containers/ID/{upper,work,top}, mount-points/ (under every container), tmp/ (work in progress), empty/.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readlinkSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { isOrphaned, ownedName } from "../owned-names.js";
import { deleteLayer, insertLayer, type LayerRow, layerById, layerByShortId, layerStack } from "../state/layers.js";
import { mountPointsLayer } from "./mount-points.js";
import { chooseDriver } from "./probe.js";
import { listFolder, openScratch, type ScratchPlace } from "./scratch.js";

export { listFolder, openScratch, type Scratch, type ScratchPlace } from "./scratch.js";

const VIEW = "view-";
const TEMPORARY_ROOTFS = "build-";

/** An id for a rootfs that this command needs alone; when it is killed, a later one removes the rootfs. */
export function temporaryRootfsId(kernel: EngineContext["kernel"]): string {
  return `${TEMPORARY_ROOTFS}${ownedName(kernel)}`;
}

/** What is known about a layer once it is complete. */
export interface FinishedLayer {
  readonly chainId: string;
  /** Chain id below; "" for a base layer. */
  readonly parent: string;
  readonly diffId: string;
  readonly sizeBytes: number;
  /** Digest of the kept tar, or "". */
  readonly blobDigest: string;
}

/** A layer in the making; nobody sees it before `commit`. */
export interface StagedLayer extends AsyncDisposable {
  /** The folder to unpack into. */
  readonly path: string;
  /** Moves it into place and records it; when the layer has appeared meanwhile, that one is kept. */
  commit(layer: FinishedLayer): Promise<void>;
  /** Removes it; nothing after `commit`. */
  discard(): Promise<void>;
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
  /** Mounts if it is not mounted; the merged folder. */
  mountRootfs(containerId: string): Promise<string>;
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
  mountImage(key: string, topChainId: string): Promise<string>;
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
  await removeStaleWork(ctx, containersDir);
  const driver = await chooseDriver(ctx, empty, scratch);
  const stacks = new Map<string, readonly string[]>();

  const lockLayers = async () => {
    mkdirSync(paths.locks, { recursive: true, mode: 0o700 });
    const lock = await kernel.lockFile(join(paths.locks, "layers.lock"), { wait: true });
    if (lock === undefined) throw new TscError("TSC_STORAGE_LOCK", "the layer lock cannot be taken");
    return lock;
  };
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
    const short = readLink(join(containerDir(containerId), "top"));
    if (short === undefined) return "";
    const layer = layerByShortId(state, basename(short));
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
  const staged = (place: ScratchPlace): StagedLayer => ({
    path: join(place.path, "diff"),
    async commit(layer) {
      const row: LayerRow = { ...layer, shortId: shortIdOf(layer.chainId) };
      using _lock = await lockLayers();
      if (layerById(state, layer.chainId) === undefined) {
        const target = join(layersDir, row.shortId);
        await kernel.removeTree(target);
        renameSync(place.path, target);
        makeLink(`../layers/${row.shortId}/diff`, join(linksDir, row.shortId));
        insertLayer(state, row);
      }
      await place[Symbol.asyncDispose]();
    },
    discard: () => kernel.removeTree(place.path),
    [Symbol.asyncDispose]: () => kernel.removeTree(place.path),
  });

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
      const layer = staged(scratch.folder());
      mkdirSync(layer.path, { mode: 0o755 });
      const parent = driver.cumulative ? lowerOf(parentChainId)[0] : undefined;
      await driver.seedLayer(layer.path, parent);
      return layer;
    },
    async stageFolder(path) {
      const layer = staged(scratch.folder());
      renameSync(path, layer.path);
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
    mountRootfs: async (containerId) =>
      mountOnce(mergedDir(containerId), async (target) => {
        const layers = lowerOf(topOf(containerId));
        // What a build step finds in its rootfs becomes part of an image, so that has only what its own mounts need.
        const isPlain = driver.cumulative || containerId.startsWith(TEMPORARY_ROOTFS);
        const lower = isPlain ? layers : [...layers, await mountPointsLayer(root, scratch)];
        await driver.mount({ lower, folder: containerDir(containerId), target });
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
    mountImage: async (key, topChainId) =>
      mountOnce(join(paths.rootfs, `image-${checkKey(key)}`), (target) =>
        driver.mountReadOnly(lowerOf(topChainId), target),
      ),
    async unmountImage(key) {
      unmountFolder(ctx, join(paths.rootfs, `image-${checkKey(key)}`));
    },
    async viewImage(topChainId) {
      const path = join(paths.rootfs, `${VIEW}${ownedName(kernel)}`);
      mkdirSync(path, { mode: 0o700 });
      try {
        await driver.mountReadOnly(lowerOf(topChainId), path);
      } catch (error) {
        unmountFolder(ctx, path);
        throw error;
      }
      return { path, [Symbol.asyncDispose]: async () => unmountFolder(ctx, path) };
    },
    async removeLayers(chainIds) {
      using _lock = await lockLayers();
      const removed: string[] = [];
      const inUse = new Set(
        listFolder(containersDir).map((id) => basename(readLink(join(containersDir, id, "top")) ?? "")),
      );
      // children first: a layer goes only when nothing stands on it
      let pending = chainIds.map((id) => layerById(state, id)).filter((layer) => layer !== undefined);
      for (let progress = true; progress; ) {
        progress = false;
        for (const layer of pending) {
          const child = state.get("SELECT 1 FROM layers WHERE parent = ? LIMIT 1", layer.chainId);
          if (child !== undefined || inUse.has(layer.shortId)) continue;
          deleteLayer(state, layer.chainId);
          stacks.clear();
          const place = scratch.folder();
          removeLink(join(linksDir, layer.shortId));
          try {
            renameSync(join(layersDir, layer.shortId), join(place.path, "layer"));
          } catch (error) {
            if (errnoOf(error) !== "ENOENT") throw error;
          }
          await place[Symbol.asyncDispose]();
          removed.push(layer.chainId);
          pending = pending.filter((other) => other !== layer);
          progress = true;
        }
      }
      return removed;
    },
  };
}

/** 130 bits in base32: short enough for 128 lowerdirs in one page, long enough that nobody finds a collision. */
function shortIdOf(chainId: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bytes = createHash("sha256").update(chainId).digest();
  let text = "";
  for (let i = 0; i < 26; i++) text += alphabet[(bytes[i] ?? 0) & 31];
  return text;
}

function missing(what: string): TscError {
  return new TscError("TSC_STORAGE_LAYER_MISSING", `layer ${what} is not stored`, {
    kind: "not-found",
    hint: "pull the image again",
  });
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

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function makeLink(target: string, path: string): void {
  removeLink(path);
  symlinkSync(target, path);
}

function removeLink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
