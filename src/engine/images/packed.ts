/**
 * Gives a stored image a manifest whose blobs are all on disk: for push and save. Pulled images have theirs already; a layer
 * made here is packed now, an uncompressed one gzipped when asked.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { TscError } from "../../lib/errors.js";
import { type ImageRow, putImage } from "../state/images.js";
import { type LayerRow, layerById, setLayerBlob } from "../state/layers.js";
import { type Compression, detectCompression } from "./compression.js";
import { chainIdsOf, digestHex } from "./digest.js";
import { type Descriptor, type ImageManifest, MEDIA, parseManifest, writeManifest } from "./manifest.js";
import type { StoreDeps } from "./store-deps.js";

/** A stored image as it is sent. */
export interface PackedImage {
  readonly manifest: ImageManifest;
  readonly data: Buffer;
  readonly digest: string;
}

const LAYER_MEDIA: Readonly<Record<Compression, string>> = {
  none: MEDIA.ociLayer,
  gzip: MEDIA.ociLayerGzip,
  zstd: MEDIA.ociLayerZstd,
};

/** The image's manifest, its blobs present. `TSC_IMAGE_LAYER_CHANGED` when a layer made here no longer packs to its digest. */
export async function packImage(
  deps: StoreDeps,
  row: ImageRow,
  options: { readonly compress: boolean },
): Promise<PackedImage> {
  const { blobs, ctx } = deps;
  const what = `image ${digestHex(row.id).slice(0, 12)}`;
  if (row.manifestDigest !== "" && blobs.has(row.manifestDigest)) {
    const data = blobs.read(row.manifestDigest);
    const manifest = parseManifest(data, "", what);
    if (manifest.kind === "manifest" && manifest.layers.every((layer) => blobs.has(layer.digest))) {
      return { manifest, data, digest: row.manifestDigest };
    }
  }
  const layers: Pick<Descriptor, "mediaType" | "digest" | "size">[] = [];
  for (const chainId of chainIdsOf(row.record.diffIds)) {
    const layer = layerById(ctx.state, chainId);
    if (layer === undefined)
      throw new TscError("TSC_STORAGE_LAYER_MISSING", `${what}: layer ${chainId} is not stored`, { kind: "not-found" });
    layers.push(await packLayerBlob(deps, layer, what, options.compress));
  }
  const config = { mediaType: MEDIA.ociConfig, digest: row.id, size: blobs.size(row.id) };
  const data = writeManifest(config, layers);
  const digest = blobs.put(data);
  if (options.compress) putImage(ctx.state, { ...row, manifestDigest: digest });
  const manifest = parseManifest(data, "", what);
  if (manifest.kind !== "manifest") throw new Error("a written manifest reads as an index");
  return { manifest, data, digest };
}

async function packLayerBlob(
  deps: StoreDeps,
  layer: LayerRow,
  what: string,
  compress: boolean,
): Promise<Pick<Descriptor, "mediaType" | "digest" | "size">> {
  const { blobs, ctx, storage } = deps;
  const existing = layer.blobDigest;
  if (existing !== "" && blobs.has(existing)) {
    const compression = await compressionOf(deps, existing, what);
    if (compression !== "none" || !compress) {
      return { mediaType: LAYER_MEDIA[compression], digest: existing, size: blobs.size(existing) };
    }
  }
  const source =
    existing !== "" && blobs.has(existing)
      ? blobs.open(existing)
      : ctx.kernel.packLayer({ source: storage.layerDir(layer.chainId), overlay: storage.whiteouts !== "apply" });
  await using place = blobs.temporary();
  const tarHash = createHash("sha256");
  const blobHash = createHash("sha256");
  const file = await open(place.path, "wx", 0o600);
  try {
    const hashed = hashing(source as AsyncIterable<Buffer>, tarHash);
    let packed: AsyncIterable<Buffer> = hashed;
    if (compress) {
      const [{ createGzip }, { Readable }] = await Promise.all([import("node:zlib"), import("node:stream")]);
      const gzip = createGzip({ level: 6, chunkSize: 1 << 17 });
      const tar = Readable.from(hashed, { objectMode: false });
      tar.on("error", (error) => gzip.destroy(error));
      packed = tar.pipe(gzip);
    }
    for await (const chunk of packed) {
      blobHash.update(chunk);
      for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
    }
  } finally {
    await file.close();
  }
  if (`sha256:${tarHash.digest("hex")}` !== layer.diffId) {
    throw new TscError("TSC_IMAGE_LAYER_CHANGED", `${what}: layer ${layer.diffId} no longer packs to the same bytes`, {
      hint: "build or pull the image again",
    });
  }
  const digest = `sha256:${blobHash.digest("hex")}`;
  blobs.adopt(place, digest);
  setLayerBlob(ctx.state, layer.chainId, digest);
  return { mediaType: LAYER_MEDIA[compress ? "gzip" : "none"], digest, size: blobs.size(digest) };
}

async function* hashing(source: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

async function compressionOf({ blobs }: StoreDeps, digest: string, what: string): Promise<Compression> {
  const file = await open(blobs.path(digest), "r");
  try {
    const start = Buffer.alloc(4);
    await file.read(start, 0, 4, 0);
    return detectCompression(start, what);
  } finally {
    await file.close();
  }
}
