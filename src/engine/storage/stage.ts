/** Layers in the making. */
import { mkdirSync, renameSync } from "node:fs";
import { layerLabel, relabelOwn } from "../selinux/index.js";
import type { StagedLayer } from "./layers.js";
import { lowerOf, type StorageParts } from "./parts.js";

/** A folder for the files of a layer on top of `parentChainId`. `TSC_STORAGE_LAYER_MISSING`. */
export async function stageLayer(parts: StorageParts, parentChainId: string): Promise<StagedLayer> {
  const { driver, layers, scratch } = parts;
  const layer = layers.staged(scratch.folder());
  mkdirSync(layer.path, { mode: 0o755 });
  const parent = driver.cumulative ? lowerOf(parts, parentChainId)[0] : undefined;
  await driver.seedLayer(layer.path, parent);
  return layer;
}

/** Takes a folder that is a layer already (an upper dir, unmounted): it is moved, not copied. */
export async function stageFolder({ ctx, layers, scratch }: StorageParts, path: string): Promise<StagedLayer> {
  const layer = layers.staged(scratch.folder());
  renameSync(path, layer.path);
  // its files have the label of the container that made them
  const label = layerLabel();
  if (label !== undefined) await relabelOwn(ctx.kernel, layer.path, label);
  return layer;
}
