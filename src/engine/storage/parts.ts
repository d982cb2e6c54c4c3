/** What the functions of this folder are given, and where things lie in the store. */
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { layerByShortId, layerStack } from "../state/layers.js";
import type { Driver } from "./drivers/driver.js";
import { type LayerFolders, type LayerStore, topLayerOf } from "./layers.js";
import type { Scratch } from "./scratch.js";

/** An open store. */
export interface StorageParts {
  readonly ctx: EngineContext;
  readonly root: string;
  readonly folders: LayerFolders;
  readonly driver: Driver;
  readonly layers: LayerStore;
  readonly scratch: Scratch;
  /** Links of the layers below each chain id, topmost first; asked of the database once. */
  readonly stacks: Map<string, readonly string[]>;
  /** Mounts under way, by their place. */
  readonly mounting: Map<string, Promise<string>>;
}

/** A container's writable layer. */
export function containerFolder({ folders }: StorageParts, id: string): string {
  return join(folders.containers, checkKey(id));
}

/** Where a container's root filesystem is mounted. */
export function mergedFolder({ ctx }: StorageParts, id: string): string {
  return join(ctx.paths.rootfs, checkKey(id));
}

/** Where an image is mounted under a key. */
export function imageFolder({ ctx }: StorageParts, key: string): string {
  return join(ctx.paths.rootfs, `image-${checkKey(key)}`);
}

/** The layers that make up a chain id, topmost first; none for "". `TSC_STORAGE_LAYER_MISSING`. */
export function lowerOf({ ctx, driver, folders, stacks }: StorageParts, topChainId: string): readonly string[] {
  if (topChainId === "") return [];
  const cached = stacks.get(topChainId);
  if (cached !== undefined) return cached;
  const stack = layerStack(ctx.state, topChainId);
  if (stack.length === 0 || stack.at(-1)?.parent !== "") throw layerMissing(topChainId);
  const links = (driver.cumulative ? stack.slice(0, 1) : stack).map((layer) => join(folders.links, layer.shortId));
  stacks.set(topChainId, links);
  return links;
}

/** Chain id a container's rootfs stands on; "" for none. `TSC_STORAGE_LAYER_MISSING`. */
export function topOf(parts: StorageParts, containerId: string): string {
  const short = topLayerOf(containerFolder(parts, containerId));
  if (short === "") return "";
  const layer = layerByShortId(parts.ctx.state, short);
  if (layer === undefined) throw layerMissing(`of container ${containerId}`);
  return layer.chainId;
}

/** `TSC_STORAGE_LAYER_MISSING` for what is named. */
export function layerMissing(what: string): TscError {
  return new TscError("TSC_STORAGE_LAYER_MISSING", `layer ${what} is not stored`, {
    kind: "not-found",
    hint: "pull the image again",
  });
}

/** Ids become file names: refuse what could leave the folder. */
function checkKey(key: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(key)) return key;
  throw new TscError("TSC_STORAGE_KEY", `rootfs key ${JSON.stringify(key)} is not a plain name`, {
    kind: "invalid-input",
  });
}
