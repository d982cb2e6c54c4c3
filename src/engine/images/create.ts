/** New images from what ran here: committing a changed folder as a layer, and an image from a config and a stack of layers. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { TscError } from "../../lib/errors.js";
import { type LayerRow, layerById, layerStack } from "../state/layers.js";
import type { ImageInfo } from "../types.js";
import { chainIdOf, digestOf } from "./digest.js";
import { readImageConfig } from "./image-config.js";
import { ingestLayer } from "./ingest.js";
import { fullName, parseReference, withDefaultTag } from "./reference.js";
import { type NamePolicy, recordImage } from "./store.js";
import type { StoreDeps } from "./store-deps.js";

/** A folder of changes that becomes a layer. */
export interface CommitLayerRequest {
  /** Folder with the changes: an upper dir (overlay drivers), or the whole tree (vfs). */
  readonly source: string;
  /** Chain id the changes stand on; "" for none. With vfs the result stands on nothing. */
  readonly parent: string;
  /** `move`: the folder becomes the layer (it must be unmounted and is gone afterwards); `copy` leaves it (a container's). */
  readonly mode: "move" | "copy";
}

/**
 * Makes a layer of a folder. It is packed once to learn its diffID; `move` keeps no tar (push and save pack it again).
 * Use the returned row's `chainId`: equal changes give the existing layer.
 */
export async function commitLayer(deps: StoreDeps, request: CommitLayerRequest): Promise<LayerRow> {
  const { ctx, storage, blobs } = deps;
  const isOverlay = storage.whiteouts !== "apply";
  const parent = isOverlay ? request.parent : "";
  const tar = ctx.kernel.packLayer({ source: request.source, overlay: isOverlay });
  const hash = createHash("sha256");
  let sizeBytes = 0;
  if (request.mode === "move") {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
    const diffId = `sha256:${hash.digest("hex")}`;
    const chainId = chainOn(parent, diffId);
    await using staged = await storage.stageFolder(request.source);
    await staged.commit({ chainId, parent, diffId, sizeBytes, blobDigest: "" });
    return requireLayer(deps, chainId);
  }
  await using place = blobs.temporary();
  const file = await open(place.path, "wx", 0o600);
  try {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
    }
  } finally {
    await file.close();
  }
  const diffId = `sha256:${hash.digest("hex")}`;
  const chainId = chainOn(parent, diffId);
  if (!storage.hasLayer(chainId)) {
    await ingestLayer(deps, {
      image: "commit",
      source: createReadStream(place.path, { highWaterMark: 1 << 18 }),
      digest: diffId,
      diffId,
      chainId,
      parent,
    });
  }
  return requireLayer(deps, chainId);
}

/** chainID(n) = sha256(chainID(n-1) + " " + diffID(n)). */
function chainOn(parent: string, diffId: string): string {
  return parent === "" ? diffId : chainIdOf([parent, diffId]);
}

function requireLayer({ ctx }: StoreDeps, chainId: string): LayerRow {
  const row = layerById(ctx.state, chainId);
  if (row === undefined)
    throw new TscError("TSC_STORAGE_LAYER_MISSING", `layer ${chainId} is not stored`, { kind: "not-found" });
  return row;
}

/** An image of layers that are stored. */
export interface CreateImageRequest {
  /** An OCI image config; `rootfs` is filled in here, `os` and `architecture` must be there. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Chain id of the topmost layer; "" for an image without layers. */
  readonly topChainId: string;
  /** References as a person writes them. */
  readonly tags: readonly string[];
  readonly names?: NamePolicy;
}

/** Stores the image; an equal config gives the same id. `TSC_STORAGE_LAYER_MISSING`. */
export async function createImage(deps: StoreDeps, request: CreateImageRequest): Promise<ImageInfo> {
  const stack = request.topChainId === "" ? [] : layerStack(deps.ctx.state, request.topChainId);
  if (request.topChainId !== "" && stack.at(-1)?.parent !== "") {
    throw new TscError("TSC_STORAGE_LAYER_MISSING", `layer ${request.topChainId} is not whole`, { kind: "not-found" });
  }
  const rootfs = { type: "layers", diff_ids: stack.map((layer) => layer.diffId).reverse() };
  const data = Buffer.from(JSON.stringify({ ...request.config, rootfs }));
  const id = digestOf(data);
  const record = readImageConfig(data, id, "new image", deps.ctx.warn);
  deps.blobs.put(data);
  const tags = request.tags.map((tag) => fullName(withDefaultTag(parseReference(tag))));
  const recorded = await recordImage(deps, {
    record,
    manifestDigest: "",
    tags,
    repoDigests: [],
    names: request.names ?? "take",
  });
  if (recorded === undefined) {
    throw new TscError("TSC_IMAGE_CONTENDED", "another command removed a layer of the new image", { kind: "conflict" });
  }
  return recorded.info;
}
