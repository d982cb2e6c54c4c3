/**
 * Load: docker-archive (old and new `docker save`) and oci-archive, plain or compressed. Members are read in place; every
 * digest and diffID is checked as for a pull.
 */

import { open } from "node:fs/promises";
import { errnoOf, isTscError, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { printable } from "../../lib/printable.js";
import type { ProgressListener } from "../types.js";
import { openTar, type TarFile } from "./archive/tar-read.js";
import { detectCompression } from "./compression.js";
import { chainIdsOf, checkDigest, digestHex, digestOf } from "./digest.js";
import { readImageConfig } from "./image-config.js";
import { ingestLayer } from "./ingest.js";
import { type Descriptor, type ImageManifest, MANIFEST_LIMIT, parseManifest } from "./manifest.js";
import { choosePlatform, hostPlatform } from "./platform.js";
import { familiarName, fullName, parseReference, withDefaultTag } from "./reference.js";
import { recordImage } from "./store.js";
import type { StoreDeps } from "./store-deps.js";

const LIST_LIMIT = 1024 * 1024;
const INDEX_DEPTH = 4;
/** Of one archive; each may bring a config of some megabytes, and they may all be the same. */
const MAX_IMAGES = 1000;

interface Loading {
  readonly deps: StoreDeps;
  readonly tar: TarFile;
  readonly what: string;
  readonly onProgress: ProgressListener | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Loads; see `ImagesApi.load`. Names are familiar ones, ids for images without. `TSC_IMAGE_ARCHIVE` when it is neither kind. */
export async function loadImages(
  deps: StoreDeps,
  path: string,
  onProgress: ProgressListener | undefined,
  signal?: AbortSignal,
): Promise<string[]> {
  const what = `archive ${path}`;
  await using plain = deps.blobs.temporary();
  const archive = await uncompressed(path, plain.path, what, signal);
  const file = await open(archive, "r");
  try {
    const tar = await openTar(file, archive, what, signal);
    const loading: Loading = { deps, tar, what, onProgress, signal };
    if (tar.member("index.json") !== undefined && tar.member("oci-layout") !== undefined) return await loadOci(loading);
    if (tar.member("manifest.json") !== undefined) return await loadDocker(loading);
    throw new TscError("TSC_IMAGE_ARCHIVE", `${what} holds neither an OCI layout nor docker's manifest.json`, {
      kind: "invalid-input",
    });
  } finally {
    await file.close();
  }
}

/** The path of a plain tar: the file itself, or `target` into which it was inflated. */
async function uncompressed(
  path: string,
  target: string,
  what: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const start = Buffer.alloc(4);
  try {
    const file = await open(path, "r");
    try {
      await file.read(start, 0, 4, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw new TscError("TSC_IMAGE_ARCHIVE", `${what} does not exist`, { kind: "not-found" });
  }
  const compression = detectCompression(start, what);
  if (compression === "none") return path;
  const { inflateTar } = await import("./archive/inflate.js");
  await inflateTar({ source: path, target, compression, what, signal });
  return target;
}

async function loadDocker(loading: Loading): Promise<string[]> {
  const { deps, tar, what } = loading;
  const loaded: string[] = [];
  for (const entry of await readDockerList(tar, what)) {
    loading.signal?.throwIfAborted();
    const config = await tar.read(entry.config, MANIFEST_LIMIT);
    const names = entry.tags.map((tag) => fullName(withDefaultTag(parseReference(tag))));
    const id = digestOf(config);
    const record = readImageConfig(config, id, what, deps.ctx.warn);
    if (entry.layers.length !== record.diffIds.length)
      throw damaged(what, "manifest.json and config disagree on the layers");
    await takeLayers(loading, record.diffIds, names[0] ?? id, (i) => ({
      member: entry.layers[i] ?? "",
    }));
    deps.blobs.put(config);
    loaded.push(...(await finish(loading, record, "", names)));
  }
  return loaded;
}

async function readDockerList(
  tar: TarFile,
  what: string,
): Promise<{ config: string; tags: string[]; layers: string[] }[]> {
  let list: unknown;
  try {
    list = JSON.parse((await tar.read("manifest.json", LIST_LIMIT)).toString("utf8"));
  } catch (error) {
    if (isTscError(error)) throw error;
    throw damaged(what, "manifest.json is not JSON");
  }
  if (!Array.isArray(list)) throw damaged(what, "manifest.json is not a list");
  if (list.length > MAX_IMAGES) throw damaged(what, `more than ${MAX_IMAGES} images`);
  const strings = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  return list.map((entry: { Config?: unknown; RepoTags?: unknown; Layers?: unknown }) => {
    if (typeof entry?.Config !== "string") throw damaged(what, "manifest.json has an entry without Config");
    return { config: entry.Config, tags: strings(entry.RepoTags), layers: strings(entry.Layers) };
  });
}

async function loadOci(loading: Loading): Promise<string[]> {
  const { tar, what, deps } = loading;
  const index = parseManifest(await tar.read("index.json", MANIFEST_LIMIT), "", `${what}: index.json`);
  if (index.kind !== "index") throw damaged(what, "index.json is not an index");
  // names that only docker's list has, by config
  const dockerNames = new Map<string, string[]>();
  if (tar.member("manifest.json") !== undefined) {
    for (const entry of await readDockerList(tar, what)) dockerNames.set(entry.config, entry.tags);
  }
  const byManifest = new Map<string, { descriptor: Descriptor; names: Set<string> }>();
  for (const entry of index.manifests) {
    if (entry.annotations["vnd.docker.reference.type"] === "attestation-manifest") continue;
    const known = byManifest.get(entry.digest) ?? { descriptor: entry, names: new Set<string>() };
    const name = nameFromAnnotations(entry.annotations);
    if (name !== undefined) known.names.add(name);
    byManifest.set(entry.digest, known);
  }
  if (byManifest.size > MAX_IMAGES) throw damaged(what, `more than ${MAX_IMAGES} images`);
  const loaded: string[] = [];
  for (const { descriptor, names } of byManifest.values()) {
    loading.signal?.throwIfAborted();
    const { manifest, data } = await resolveOci(loading, descriptor);
    const config = await readBlobMember(loading, manifest.config.digest, MANIFEST_LIMIT);
    const record = readImageConfig(config, manifest.config.digest, what, deps.ctx.warn);
    if (manifest.layers.length !== record.diffIds.length)
      throw damaged(what, "manifest and config disagree on the layers");
    for (const tag of dockerNames.get(`blobs/sha256/${digestHex(record.id)}`) ?? []) {
      names.add(fullName(withDefaultTag(parseReference(tag))));
    }
    await takeLayers(loading, record.diffIds, [...names][0] ?? record.id, (i) => {
      const digest = manifest.layers[i]?.digest ?? "";
      return { member: `blobs/sha256/${digestHex(digest)}`, digest };
    });
    deps.blobs.put(config);
    loaded.push(...(await finish(loading, record, deps.blobs.put(data), [...names])));
  }
  return loaded;
}

/** containerd writes the full name; skopeo and podman write either a name or just the tag. */
function nameFromAnnotations(annotations: Readonly<Record<string, string>>): string | undefined {
  const full = annotations["io.containerd.image.name"];
  const short = annotations["org.opencontainers.image.ref.name"];
  const text = full ?? (short !== undefined && /[/:]/.test(short) ? short : undefined);
  return text === undefined ? undefined : fullName(withDefaultTag(parseReference(text)));
}

async function resolveOci(loading: Loading, start: Descriptor): Promise<{ manifest: ImageManifest; data: Buffer }> {
  let digest = start.digest;
  for (let depth = 0; depth < INDEX_DEPTH; depth++) {
    const data = await readBlobMember(loading, digest, MANIFEST_LIMIT);
    const parsed = parseManifest(data, "", `${loading.what}: ${digest}`);
    if (parsed.kind === "manifest") return { manifest: parsed, data };
    const here = parsed.manifests.filter(
      (entry) => loading.tar.member(`blobs/sha256/${digestHex(entry.digest)}`) !== undefined,
    );
    const entry =
      here[
        choosePlatform(
          hostPlatform(),
          here.map((one) => one.platform),
        )
      ] ?? here[0];
    if (entry === undefined) throw damaged(loading.what, `index ${digest} names no manifest that is in the archive`);
    digest = entry.digest;
  }
  throw damaged(loading.what, "indexes are nested too deep");
}

async function readBlobMember({ tar, what }: Loading, digest: string, limit: number): Promise<Buffer> {
  const data = await tar.read(`blobs/sha256/${digestHex(checkDigest(digest, what))}`, limit);
  if (digestOf(data) !== digest) throw damaged(what, `blob ${digest} has other content`);
  return data;
}

async function takeLayers(
  { deps, tar, what, onProgress, signal }: Loading,
  diffIds: readonly string[],
  image: string,
  locate: (index: number) => { member: string; digest?: string },
): Promise<void> {
  const chainIds = chainIdsOf(diffIds);
  for (const [i, diffId] of diffIds.entries()) {
    const chainId = chainIds[i] ?? "";
    const { member, digest } = locate(i);
    const found = tar.member(member);
    if (deps.storage.hasLayer(chainId)) {
      onProgress?.({
        type: "layer",
        image,
        digest: diffId,
        phase: "exists",
        currentBytes: 0,
        totalBytes: found?.size ?? 0,
      });
      continue;
    }
    if (found === undefined) throw damaged(what, `layer ${printable(member, 120)} is missing`);
    const report = (phase: "extracting" | "done", currentBytes: number) =>
      onProgress?.({ type: "layer", image, digest: diffId, phase, currentBytes, totalBytes: found.size });
    let lastTime = 0;
    await ingestLayer(deps, {
      image: what,
      source: tar.stream(found),
      ...given({ digest }),
      size: found.size,
      diffId,
      chainId,
      parent: chainIds[i - 1] ?? "",
      signal,
      onBytes: (total) => {
        if (Date.now() - lastTime < 100) return;
        lastTime = Date.now();
        report("extracting", total);
      },
    });
    report("done", found.size);
  }
}

async function finish(
  { deps, what }: Loading,
  record: ReturnType<typeof readImageConfig>,
  manifestDigest: string,
  tags: readonly string[],
): Promise<string[]> {
  const recorded = await recordImage(deps, { record, manifestDigest, tags, repoDigests: [] });
  if (recorded === undefined) {
    throw new TscError("TSC_IMAGE_CONTENDED", `${what}: another command removed its layers while loading`, {
      kind: "conflict",
    });
  }
  deps.ctx.emit({
    type: "image",
    action: "load",
    id: record.id,
    name: tags[0] ?? record.id,
    attributes: { name: tags[0] ?? record.id },
  });
  return tags.length === 0 ? [record.id] : tags.map(familiarName);
}

function damaged(what: string, reason: string): TscError {
  return new TscError("TSC_IMAGE_ARCHIVE", `${what}: ${reason}`, { kind: "invalid-input" });
}
