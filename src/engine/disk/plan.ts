/** What a prune would remove: the one place that says so, for `system df`, `--dry-run` and the prunes themselves. Pure. */
import type {
  Inventory,
  PruneFilter,
  PrunePlan,
  PruneRequest,
  StoredBlob,
  StoredImage,
  StoredLayer,
  UsageRow,
} from "./types.js";

const ENDED: ReadonlySet<string> = new Set(["created", "exited", "dead"]);

/** Simulates the prune: what each step removes no longer holds what the next one looks at. */
export function planPrune(stored: Inventory, request: PruneRequest): PrunePlan {
  const filter = request.filter ?? {};
  const containers =
    request.containers === true
      ? stored.containers.filter((one) => ENDED.has(one.state) && passes(filter, one.labels, one.createdAt))
      : [];
  const gone = new Set(containers.map(({ id }) => id));
  const kept = stored.containers.filter(({ id }) => !gone.has(id));
  const usedNetworks = new Set(kept.flatMap(({ networks }) => networks));
  const networks =
    request.networks === true
      ? stored.networks.filter(
          (one) => !one.predefined && !usedNetworks.has(one.name) && passes(filter, one.labels, one.createdAt),
        )
      : [];
  const { volumes: volumeRequest, images: imageRequest, buildCache } = request;
  const volumes =
    volumeRequest === undefined
      ? []
      : stored.volumes.filter(
          (one) =>
            (volumeRequest.all || one.anonymous) &&
            one.users.every((user) => gone.has(user)) &&
            passes(filter, one.labels, undefined),
        );
  const usedImages = new Set(kept.flatMap(({ imageId, mountedImages }) => [imageId, ...mountedImages]));
  const images =
    imageRequest === undefined
      ? []
      : stored.images.filter(
          (one) =>
            (imageRequest.all || one.tags.length === 0) &&
            !usedImages.has(one.id) &&
            passes(filter, one.labels, one.createdAt),
        );
  const tops = new Set(kept.map(({ topLayer }) => topLayer));
  const ofImages = withoutImages(stored, images, tops);
  const keptImages = stored.images.filter((one) => !images.includes(one));
  const cache =
    buildCache === undefined
      ? { steps: [], cacheMounts: [], cacheLayers: [], cacheBlobs: [] }
      : planCache(stored, keptImages, ofImages, tops, filter, buildCache.all);
  const plan = {
    containers,
    networks,
    volumes,
    images,
    imageLayers: ofImages.layers,
    imageBlobs: ofImages.blobs,
    ...cache,
  };
  return { ...plan, bytes: planBytes(plan) };
}

/** Bytes of what a plan names. */
export function planBytes(plan: Omit<PrunePlan, "bytes">): number {
  const sized = [plan.containers, plan.volumes, plan.imageLayers, plan.imageBlobs];
  return sumBytes([...sized, plan.cacheMounts, plan.cacheLayers, plan.cacheBlobs].flat());
}

/** Layers and blobs that go with images: what neither a kept image nor a container nor another layer needs. */
function withoutImages(
  stored: Inventory,
  removed: readonly StoredImage[],
  tops: ReadonlySet<string>,
): { readonly layers: readonly StoredLayer[]; readonly blobs: readonly StoredBlob[] } {
  const kept = stored.images.filter((one) => !removed.includes(one));
  const wanted = new Set(kept.flatMap(({ layers }) => layers));
  const candidates = new Set(removed.flatMap(({ layers }) => layers).filter((id) => !wanted.has(id)));
  const layers = removableLayers(stored.layers, candidates, tops);
  const held = new Set([...kept.flatMap(({ blobs }) => blobs), ...blobsOfKept(stored.layers, layers)]);
  const mine = new Set(removed.flatMap(({ blobs }) => blobs).filter((digest) => !held.has(digest)));
  return { layers, blobs: stored.blobs.filter(({ digest }) => mine.has(digest)) };
}

function planCache(
  stored: Inventory,
  images: readonly StoredImage[],
  before: { readonly layers: readonly StoredLayer[]; readonly blobs: readonly StoredBlob[] },
  tops: ReadonlySet<string>,
  filter: PruneFilter,
  all: boolean,
): Pick<PrunePlan, "steps" | "cacheMounts" | "cacheLayers" | "cacheBlobs"> {
  // the cache has no labels, so nothing of it carries one that is asked for
  if ((filter.labels ?? []).length > 0) return { steps: [], cacheMounts: [], cacheLayers: [], cacheBlobs: [] };
  const isOld = (usedAt: string) => isBefore(filter, usedAt);
  const cacheMounts = stored.cacheMounts.filter((one) => !one.inUse && isOld(one.usedAt));
  const wanted = new Set(images.flatMap(({ layers }) => layers));
  const usedAt = new Map<string, string>();
  for (const step of stored.steps) {
    if (step.usedAt > (usedAt.get(step.chainId) ?? "")) usedAt.set(step.chainId, step.usedAt);
  }
  const left = stored.layers.filter((one) => !before.layers.includes(one));
  const orphans = left.filter(({ chainId }) => !wanted.has(chainId) && isOld(usedAt.get(chainId) ?? ""));
  const cacheLayers = stored.busy ? [] : removableLayers(left, new Set(orphans.map(({ chainId }) => chainId)), tops);
  const held = new Set([...images.flatMap(({ blobs }) => blobs), ...blobsOfKept(left, cacheLayers)]);
  const cacheBlobs = stored.busy
    ? []
    : stored.blobs.filter((one) => !held.has(one.digest) && !before.blobs.includes(one));
  const goneLayers = new Set([...before.layers, ...cacheLayers].map(({ chainId }) => chainId));
  const steps = stored.steps.filter((one) => isOld(one.usedAt) && (all || goneLayers.has(one.chainId)));
  return { steps, cacheMounts, cacheLayers, cacheBlobs };
}

/** Of `candidates` what can go: children first, a layer under a container's rootfs or under a layer that stays does not. */
function removableLayers(
  layers: readonly StoredLayer[],
  candidates: ReadonlySet<string>,
  tops: ReadonlySet<string>,
): readonly StoredLayer[] {
  const byId = new Map(layers.map((one) => [one.chainId, one]));
  const blocked = new Set<string>();
  for (const one of layers) {
    if (candidates.has(one.chainId) && !tops.has(one.chainId)) continue;
    // everything below a layer that stays does too
    for (
      let at: StoredLayer | undefined = one;
      at !== undefined && !blocked.has(at.chainId);
      at = byId.get(at.parent)
    ) {
      blocked.add(at.chainId);
    }
  }
  return layers.filter(({ chainId }) => !blocked.has(chainId));
}

function blobsOfKept(layers: readonly StoredLayer[], removed: readonly StoredLayer[]): readonly string[] {
  return layers.filter((one) => !removed.includes(one)).map(({ blobDigest }) => blobDigest);
}

function passes(filter: PruneFilter, labels: Readonly<Record<string, string>>, createdAt: string | undefined): boolean {
  const has = (wanted: string) => {
    const equals = wanted.indexOf("=");
    const key = equals < 0 ? wanted : wanted.slice(0, equals);
    return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1));
  };
  if (!(filter.labels ?? []).every(has) || (filter.notLabels ?? []).some(has)) return false;
  return createdAt === undefined || isBefore(filter, createdAt);
}

function isBefore({ until }: PruneFilter, time: string): boolean {
  if (until === undefined) return true;
  const at = Date.parse(time);
  return Number.isNaN(at) || at < until;
}

/** Sum of sizes. */
function sumBytes(things: readonly { readonly bytes: number }[]): number {
  return things.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The lines of `system df`. Layers and blobs of images count once, under Images; what no image has is build cache. */
export function usageRows(stored: Inventory): readonly UsageRow[] {
  const { containers, images, volumes, cacheMounts } = stored;
  const used = new Set(containers.flatMap(({ imageId, mountedImages }) => [imageId, ...mountedImages]));
  const ofImages = new Set(images.flatMap(({ layers }) => layers));
  const held = new Set([
    ...images.flatMap(({ blobs }) => blobs),
    ...stored.layers.filter(({ chainId }) => ofImages.has(chainId)).map(({ blobDigest }) => blobDigest),
  ]);
  const [imageLayers, cacheLayers] = split(stored.layers, ({ chainId }) => ofImages.has(chainId));
  const [imageBlobs, cacheBlobs] = split(stored.blobs, ({ digest }) => held.has(digest));
  const reclaimable = (request: PruneRequest) => planPrune(stored, request).bytes;
  return [
    {
      type: "Images",
      total: images.length,
      active: images.filter(({ id }) => used.has(id)).length,
      bytes: sumBytes([...imageLayers, ...imageBlobs]),
      reclaimable: reclaimable({ images: { all: true } }),
    },
    {
      type: "Containers",
      total: containers.length,
      active: containers.filter(({ state }) => !ENDED.has(state)).length,
      bytes: sumBytes(containers),
      reclaimable: reclaimable({ containers: true }),
    },
    {
      type: "Local Volumes",
      total: volumes.length,
      active: volumes.filter(({ users }) => users.length > 0).length,
      bytes: sumBytes(volumes),
      reclaimable: reclaimable({ volumes: { all: true } }),
    },
    {
      type: "Build Cache",
      total: cacheLayers.length + cacheMounts.length,
      active: cacheMounts.filter(({ inUse }) => inUse).length,
      bytes: sumBytes([...cacheLayers, ...cacheBlobs, ...cacheMounts]),
      reclaimable: reclaimable({ buildCache: { all: true } }),
    },
  ];
}

/** What of an image's layers and blobs other images have as well, and what is its own. */
export function imageShares(
  stored: Inventory,
): ReadonlyMap<string, { readonly shared: number; readonly unique: number }> {
  const users = new Map<string, number>();
  for (const image of stored.images) {
    for (const part of new Set([...image.layers, ...image.blobs])) users.set(part, (users.get(part) ?? 0) + 1);
  }
  return new Map(
    stored.images.map((image) => {
      const layers = stored.layers.filter(({ chainId }) => image.layers.includes(chainId));
      const blobs = stored.blobs.filter(({ digest }) => image.blobs.includes(digest));
      const parts = [
        ...layers.map(({ chainId, bytes }) => ({ name: chainId, bytes })),
        ...blobs.map(({ digest, bytes }) => ({ name: digest, bytes })),
      ];
      const [shared, unique] = split(parts, ({ name }) => (users.get(name) ?? 0) > 1);
      return [image.id, { shared: sumBytes(shared), unique: sumBytes(unique) }];
    }),
  );
}

function split<T>(items: readonly T[], test: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
