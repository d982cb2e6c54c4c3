/** What the functions of the image store are given, and which blobs an image is made of. */
import type { EngineContext } from "../context.js";
import type { ImageRow } from "../state/images.js";
import type { Storage } from "../storage/index.js";
import type { Blobs } from "./blobs.js";
import { digestHex } from "./digest.js";
import { parseManifest } from "./manifest.js";

/** What every part of the image store works with. */
export interface StoreDeps {
  readonly ctx: EngineContext;
  readonly storage: Storage;
  readonly blobs: Blobs;
}

/** Digests of the config, the manifest and the layers it names; they need not all be stored. */
export function blobsOf(blobs: Blobs, row: ImageRow): string[] {
  if (row.manifestDigest === "" || !blobs.has(row.manifestDigest)) return [row.id];
  const manifest = parseManifest(blobs.read(row.manifestDigest), "", `image ${digestHex(row.id).slice(0, 12)}`);
  if (manifest.kind !== "manifest") return [row.id, row.manifestDigest];
  return [row.id, row.manifestDigest, ...manifest.layers.map((layer) => layer.digest)];
}
