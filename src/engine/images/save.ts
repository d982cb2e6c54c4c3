/** Save: one OCI archive that also carries docker's manifest.json, so that `docker load` and `podman load` read it. */
import { createHash } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { callerFileMode } from "../../lib/caller.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { createTarWriter } from "./archive/tar-write.js";
import { digestHex } from "./digest.js";
import { MEDIA } from "./manifest.js";
import { type PackedImage, packImage } from "./packed.js";
import { requireImage } from "./records.js";
import { familiarName, fullName, parseReference } from "./reference.js";
import type { StoreDeps } from "./store-deps.js";

/** Writes the archive; see `ImagesApi.save`. A regular file appears whole or not at all. */
export async function saveImages(deps: StoreDeps, references: readonly string[], path: string): Promise<void> {
  const { ctx, blobs } = deps;
  if (references.length === 0)
    throw new TscError("TSC_IMAGE_REFERENCE_INVALID", "no image to save was named", { kind: "invalid-input" });
  const images = new Map<string, { packed: PackedImage; names: string[] }>();
  for (const reference of references) {
    const row = requireImage(ctx.state, reference);
    const image = images.get(row.id) ?? { packed: await packImage(deps, row, { compress: false }), names: [] };
    const isName =
      !/^(?:sha256:)?[0-9a-f]+$/.test(reference) || !digestHex(row.id).startsWith(reference.replace("sha256:", ""));
    const name = isName ? fullName(parseReference(reference)) : undefined;
    if (name !== undefined && !name.includes("@") && !image.names.includes(name)) image.names.push(name);
    images.set(row.id, image);
  }
  const isPlain = await isRegularOrMissing(path);
  const target = isPlain
    ? `${path}.${createHash("sha256").update(`${process.pid}${Date.now()}`).digest("hex").slice(0, 12)}`
    : path;
  const file = await open(target, isPlain ? "wx" : "w", callerFileMode(ctx.env));
  try {
    const tar = createTarWriter(file);
    await tar.add("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    await tar.add("index.json", Buffer.from(JSON.stringify(ociIndex([...images.values()]))));
    await tar.add("manifest.json", Buffer.from(JSON.stringify(dockerManifest([...images.values()]))));
    const written = new Set<string>();
    for (const { packed } of images.values()) {
      for (const digest of [
        packed.digest,
        packed.manifest.config.digest,
        ...packed.manifest.layers.map((layer) => layer.digest),
      ]) {
        if (written.has(digest)) continue;
        written.add(digest);
        await tar.addStream(blobName(digest), blobs.size(digest), blobs.open(digest));
      }
    }
    await tar.finish();
    if (isPlain) await file.sync();
    await file.close();
    if (isPlain) await rename(target, path);
  } catch (error) {
    await file.close();
    if (isPlain) await rm(target, { force: true });
    throw error;
  }
  for (const id of images.keys()) ctx.emit({ type: "image", action: "save", id, name: id, attributes: { name: id } });
}

function blobName(digest: string): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

function ociIndex(images: readonly { packed: PackedImage; names: readonly string[] }[]) {
  return {
    schemaVersion: 2,
    mediaType: MEDIA.ociIndex,
    manifests: images.flatMap(({ packed, names }) => {
      const descriptor = { mediaType: packed.manifest.mediaType, digest: packed.digest, size: packed.data.length };
      if (names.length === 0) return [descriptor];
      return names.map((name) => ({
        ...descriptor,
        annotations: {
          "io.containerd.image.name": name,
          "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
        },
      }));
    }),
  };
}

function dockerManifest(images: readonly { packed: PackedImage; names: readonly string[] }[]) {
  return images.map(({ packed, names }) => ({
    Config: blobName(packed.manifest.config.digest),
    RepoTags: names.map(familiarName),
    Layers: packed.manifest.layers.map((layer) => blobName(layer.digest)),
  }));
}

async function isRegularOrMissing(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return true;
    throw error;
  }
}
