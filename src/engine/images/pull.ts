/**
 * Pull: manifest (list → platform) → config → layers in parallel → one image row at the end. Every byte is checked against a
 * digest before it is kept; what another command is fetching at the same moment is waited for, not fetched twice.
 */
import { TscError } from "../../lib/errors.js";
import { createLimiter, type Limiter } from "../../lib/limit.js";
import { printable } from "../../lib/printable.js";
import type { PullOptions } from "../api.js";
import { takeLock } from "../take-lock.js";
import type { ImageInfo, ProgressListener } from "../types.js";
import { chainIdsOf, digestHex } from "./digest.js";
import { readImageConfig } from "./image-config.js";
import { type IngestDeps, ingestLayer } from "./ingest.js";
import { type Descriptor, type ImageManifest, parseManifest } from "./manifest.js";
import { choosePlatform, formatPlatform, type Platform, parsePlatform, platformMatches } from "./platform.js";
import { checkPolicy } from "./policy.js";
import { familiarName, fullName, parseReference, repositoryName, withDefaultTag } from "./reference.js";
import {
  applyAlias,
  fetchManifest,
  fetchSmallBlob,
  type Registries,
  type Repository,
  readBlob,
} from "./registry/index.js";
import { recordImage } from "./store.js";

/** What pulls share. */
export interface PullDeps extends IngestDeps {
  readonly registries: Registries;
  /** Shared by all pulls of the process. */
  readonly limiter: Limiter;
  /** chain id → the fetch that runs in this process. */
  readonly inFlight: Map<string, Promise<void>>;
}

/** Layers fetched at once, over all pulls. */
const PARALLEL_LAYERS = 5;
const INDEX_DEPTH = 3;
const PROGRESS_INTERVAL_MS = 100;
/** A removal by another command can undo what we skipped; once is bad luck, three times is a fight. */
const RECORD_ATTEMPTS = 3;

/** State shared by the pulls of one engine. */
export function pullState(): Pick<PullDeps, "limiter" | "inFlight"> {
  return { limiter: createLimiter(PARALLEL_LAYERS), inFlight: new Map() };
}

/** Pulls; see `ImagesApi.pull`. */
export async function pullImage(deps: PullDeps, text: string, options: PullOptions): Promise<ImageInfo> {
  const written = withDefaultTag(parseReference(text));
  const target = withDefaultTag(parseReference(applyAlias(await deps.registries.config(), text)));
  const platform = parsePlatform(options.platform);
  checkPolicy(deps.ctx.env, target);
  const image = familiarName(fullName(written));
  options.onProgress?.({ type: "pull-start", image });
  const { info, changed } = await deps.registries.withRepository(target, async (repository) => {
    const resolved = await resolveImage(repository, target.digest ?? target.tag ?? "latest", platform, options.signal);
    const config = await readConfig(deps, repository, resolved.manifest, options.signal);
    const record = readImageConfig(config, resolved.manifest.config.digest, image, deps.ctx.warn);
    checkPlatform(deps, image, platform, record, resolved.isFromIndex);
    if (record.diffIds.length !== resolved.manifest.layers.length) {
      throw new TscError(
        "TSC_IMAGE_MANIFEST_INVALID",
        `${image}: manifest has ${resolved.manifest.layers.length} layers, config ${record.diffIds.length}`,
        {
          kind: "denied",
        },
      );
    }
    for (let attempt = 1; ; attempt++) {
      await fetchLayers(deps, repository, image, resolved.manifest.layers, record.diffIds, options);
      const tags = [written, target].flatMap((one) => (one.digest === undefined ? [fullName(one)] : []));
      const recorded = await recordImage(deps, {
        record,
        manifestDigest: deps.blobs.put(resolved.data),
        names: options.names ?? "yield",
        tags: [...new Set(tags)],
        repoDigests: [
          ...new Set([
            `${repositoryName(target)}@${resolved.topDigest}`,
            `${repositoryName(written)}@${resolved.topDigest}`,
          ]),
        ],
      });
      if (recorded !== undefined) return recorded;
      if (attempt >= RECORD_ATTEMPTS) {
        throw new TscError("TSC_IMAGE_CONTENDED", `${image}: another command keeps removing its layers`, {
          kind: "conflict",
        });
      }
      deps.blobs.put(config);
    }
  });
  deps.ctx.emit({ type: "image", action: "pull", id: image, name: image, attributes: { name: image } });
  options.onProgress?.({ type: "pull-done", image, imageId: info.id, upToDate: !changed });
  return info;
}

interface ResolvedImage {
  readonly manifest: ImageManifest;
  readonly data: Buffer;
  /** Digest of what the reference names: the list where there is one. */
  readonly topDigest: string;
  readonly isFromIndex: boolean;
}

async function resolveImage(
  repository: Repository,
  reference: string,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<ResolvedImage> {
  let topDigest = "";
  for (let next = reference, depth = 0; depth < INDEX_DEPTH; depth++) {
    const fetched = await fetchManifest(repository, next, signal);
    if (topDigest === "") topDigest = fetched.digest;
    const manifest = parseManifest(fetched.data, fetched.contentType, repository.image);
    if (manifest.kind === "manifest") {
      return { manifest, data: fetched.data, topDigest, isFromIndex: depth > 0 };
    }
    const chosen =
      manifest.manifests[
        choosePlatform(
          platform,
          manifest.manifests.map((entry) => entry.platform),
        )
      ];
    // an index with one unlabelled entry means that entry
    const entry =
      chosen ??
      (manifest.manifests.length === 1 && manifest.manifests[0]?.platform === undefined
        ? manifest.manifests[0]
        : undefined);
    if (entry === undefined) {
      const offered = manifest.manifests.flatMap((one) =>
        one.platform === undefined ? [] : [formatPlatform(one.platform)],
      );
      throw new TscError(
        "TSC_IMAGE_PLATFORM",
        `${repository.image}: no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
        {
          kind: "not-found",
          hint: printable(`it has ${[...new Set(offered)].join(", ")}`, 300),
        },
      );
    }
    next = entry.digest;
  }
  throw new TscError(
    "TSC_IMAGE_MANIFEST_INVALID",
    `${repository.image}: manifest lists nested deeper than ${INDEX_DEPTH}`,
    { kind: "denied" },
  );
}

async function readConfig(
  { blobs }: PullDeps,
  repository: Repository,
  manifest: ImageManifest,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const { digest } = manifest.config;
  if (blobs.has(digest)) return blobs.read(digest);
  const data = await fetchSmallBlob(repository, manifest.config, signal);
  blobs.put(data);
  return data;
}

/** A list was searched for the platform; a lone manifest may be for another machine. */
function checkPlatform(
  deps: PullDeps,
  image: string,
  wanted: Platform,
  record: { readonly os: string; readonly architecture: string; readonly variant: string },
  isFromIndex: boolean,
): void {
  if (record.architecture === "" || platformMatches(wanted, record)) return;
  const got = formatPlatform(record);
  deps.ctx.warn(
    `image ${image} is for ${printable(got, 60)}, not for ${formatPlatform(wanted)}${isFromIndex ? " as its manifest list claims" : ""}`,
  );
}

async function fetchLayers(
  deps: PullDeps,
  repository: Repository,
  image: string,
  layers: readonly Descriptor[],
  diffIds: readonly string[],
  options: PullOptions,
): Promise<void> {
  const chainIds = chainIdsOf(diffIds);
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const fetchOne = (layer: Descriptor, i: number): Promise<void> => {
    const chainId = chainIds[i] ?? "";
    const report = reporter(image, layer, options.onProgress);
    if (deps.storage.hasLayer(chainId)) {
      report("exists", layer.size);
      return Promise.resolve();
    }
    report("waiting", 0);
    return once(deps, chainId, () =>
      fetchLayer(
        deps,
        repository,
        image,
        { layer, chainId, diffId: diffIds[i] ?? "", parent: chainIds[i - 1] ?? "" },
        report,
        signal,
      ),
    );
  };
  if (deps.storage.cumulative) {
    // each layer needs the one below to be complete
    for (const [i, layer] of layers.entries()) await fetchOne(layer, i);
    return;
  }
  const results = await Promise.allSettled(
    layers.map((layer, i) =>
      fetchOne(layer, i).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  options.signal?.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** One fetch per layer in this process; a waiter whose leader failed tries itself. */
async function once(deps: PullDeps, chainId: string, work: () => Promise<void>): Promise<void> {
  for (let running = deps.inFlight.get(chainId); running !== undefined; running = deps.inFlight.get(chainId)) {
    await running.catch(() => {});
  }
  const mine = deps.limiter(work);
  deps.inFlight.set(chainId, mine);
  try {
    await mine;
  } finally {
    deps.inFlight.delete(chainId);
  }
}

interface LayerTask {
  readonly layer: Descriptor;
  readonly chainId: string;
  readonly diffId: string;
  readonly parent: string;
}
type Report = (phase: "waiting" | "downloading" | "extracting" | "done" | "exists", currentBytes: number) => void;

async function fetchLayer(
  deps: PullDeps,
  repository: Repository,
  image: string,
  task: LayerTask,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { ctx, storage, blobs } = deps;
  // other commands may be pulling the same layer
  const lockName = `pull-${digestHex(task.chainId)}.lock`;
  using _lock = await takeLock(ctx, lockName, `a layer of image ${image}`, { signal });
  if (storage.hasLayer(task.chainId)) return report("exists", task.layer.size);
  signal.throwIfAborted();
  const isStored = blobs.has(task.layer.digest) && blobs.size(task.layer.digest) === task.layer.size;
  report("downloading", 0);
  await ingestLayer(deps, {
    image,
    source: isStored ? blobs.open(task.layer.digest) : readBlob(repository, task.layer, signal),
    isStored,
    digest: task.layer.digest,
    size: task.layer.size,
    diffId: task.diffId,
    chainId: task.chainId,
    parent: task.parent,
    onBytes: (total) => report("downloading", total),
    onReceived: () => report("extracting", task.layer.size),
    signal,
  });
  report("done", task.layer.size);
}

/** Bounds how often a layer's progress is told. */
function reporter(image: string, layer: Descriptor, listener: ProgressListener | undefined): Report {
  let lastPhase = "";
  let lastTime = 0;
  return (phase, currentBytes) => {
    if (listener === undefined) return;
    const now = Date.now();
    if (phase === lastPhase && now - lastTime < PROGRESS_INTERVAL_MS) return;
    lastPhase = phase;
    lastTime = now;
    listener({ type: "layer", image, digest: layer.digest, phase, currentBytes, totalBytes: layer.size });
  };
}
