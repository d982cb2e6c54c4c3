/** Layers on disk: how one becomes complete, and how it goes. A row in `layers` is what makes a folder a layer. */
import { createHash } from "node:crypto";
import { readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { deleteLayer, hasChildLayer, insertLayer, type LayerRow, layerById } from "../state/layers.js";
import { takeLock } from "../take-lock.js";
import { listFolder, type Scratch, type ScratchPlace } from "./scratch.js";

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

/** Where layers lie. */
export interface LayerFolders {
  /** layers/SHORT/diff. */
  readonly layers: string;
  /** l/SHORT, links to them. */
  readonly links: string;
  /** containers/ID, whose `top` links keep layers. */
  readonly containers: string;
}

/** Layers as they come and go. */
export interface LayerStore {
  /** A layer that is made in `place`. */
  staged(place: ScratchPlace): StagedLayer;
  /** Removes layers unless a container's rootfs or another layer stands on them; the ids removed. `forget` is called as each row goes. */
  remove(chainIds: readonly string[], forget: () => void): Promise<string[]>;
}

/** The layers of a store; reads nothing before it is asked. */
export function openLayers(ctx: EngineContext, scratch: Scratch, folders: LayerFolders): LayerStore {
  const { kernel, state } = ctx;

  const lockLayers = () => takeLock(ctx, "layers.lock", "the store of layers");

  async function take(layer: LayerRow, forget: () => void): Promise<void> {
    deleteLayer(state, layer.chainId);
    forget();
    await using place = scratch.folder();
    removeLink(join(folders.links, layer.shortId));
    try {
      renameSync(join(folders.layers, layer.shortId), join(place.path, "layer"));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }

  return {
    staged: (place) => ({
      path: join(place.path, "diff"),
      async commit(layer) {
        const row: LayerRow = { ...layer, shortId: shortIdOf(layer.chainId) };
        using _lock = await lockLayers();
        if (layerById(state, layer.chainId) === undefined) {
          const target = join(folders.layers, row.shortId);
          await kernel.removeTree(target);
          renameSync(place.path, target);
          makeLink(`../layers/${row.shortId}/diff`, join(folders.links, row.shortId));
          insertLayer(state, row);
        }
        await place[Symbol.asyncDispose]();
      },
      discard: () => kernel.removeTree(place.path),
      [Symbol.asyncDispose]: () => kernel.removeTree(place.path),
    }),
    async remove(chainIds, forget) {
      using _lock = await lockLayers();
      const removed: string[] = [];
      const inUse = new Set(listFolder(folders.containers).map((id) => topLayerOf(join(folders.containers, id))));
      // children first: a layer goes only when nothing stands on it
      let pending = chainIds.map((id) => layerById(state, id)).filter((layer) => layer !== undefined);
      for (let progress = true; progress; ) {
        progress = false;
        for (const layer of pending) {
          if (hasChildLayer(state, layer.chainId) || inUse.has(layer.shortId)) continue;
          await take(layer, forget);
          removed.push(layer.chainId);
          pending = pending.filter((other) => other !== layer);
          progress = true;
        }
      }
      return removed;
    },
  };
}

/** Short id of the layer that the rootfs in a container's folder stands on; "" for none. */
export function topLayerOf(containerFolder: string): string {
  try {
    return basename(readlinkSync(join(containerFolder, "top")));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return "";
    throw error;
  }
}

/** 130 bits in base32: short enough for 128 lowerdirs in one page, long enough that nobody finds a collision. */
function shortIdOf(chainId: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bytes = createHash("sha256").update(chainId).digest();
  let text = "";
  for (let i = 0; i < 26; i++) text += alphabet[(bytes[i] ?? 0) & 31];
  return text;
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
