/** Reads what is stored: rows, and what their files take. */
import { join } from "node:path";
import { createPace } from "../../lib/pace.js";
import { type CacheFolder, cacheFolders, isCacheFolderInUse } from "../builder/index.js";
import type { EngineContext } from "../context.js";
import type { Images } from "../images/index.js";
import { listSteps } from "../state/build-steps.js";
import { type ContainerRow, listContainers } from "../state/containers.js";
import { allLayers } from "../state/layers.js";
import { listNetworks } from "../state/networks.js";
import { listVolumes, volumeUsers } from "../state/volumes.js";
import { listFolder } from "../storage/index.js";
import { allocatedBytes } from "./measure.js";
import type { Inventory } from "./types.js";

/** What the disk part works with. */
export interface DiskDeps {
  readonly ctx: EngineContext;
  readonly images: Images;
  /** The network that exists without anybody having made it. */
  readonly defaultNetwork: string;
}

/** Everything stored; walks all files once, so it takes as long as `du` does. */
export async function takeInventory(deps: DiskDeps, signal?: AbortSignal): Promise<Inventory> {
  const { ctx, images } = deps;
  const { kernel, paths, state } = ctx;
  const pace = createPace(signal);
  const measure = (path: string) => allocatedBytes(kernel, path, pace);
  const each = async <T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<readonly R[]> => {
    const result: R[] = [];
    for (const item of items) result.push(await read(item));
    return result;
  };
  const blobs = join(paths.images, "blobs", "sha256");
  const mounted = (row: ContainerRow): Promise<readonly string[]> =>
    each(
      row.record.mounts.filter(({ type }) => type === "image"),
      async ({ source }) => (await images.find(source))?.id ?? "",
    );
  return {
    containers: await each(listContainers(state), async (row) => ({
      id: row.id,
      name: row.name,
      state: row.state,
      createdAt: row.createdAt,
      labels: row.spec.labels ?? {},
      imageId: row.imageId,
      imageName: row.imageName,
      mountedImages: await mounted(row),
      topLayer: row.record.topChainId,
      networks: (row.spec.networks ?? []).map(({ network }) => network),
      command: row.record.argv,
      volumes: row.record.mounts.filter(({ type }) => type === "volume").length,
      bytes:
        (await measure(join(paths.storage, "containers", row.id))) + (await measure(join(paths.containers, row.id))),
    })),
    images: (await images.parts()).map(({ row, tags, repoDigests, layers, blobs: digests }) => ({
      id: row.id,
      tags,
      repoDigests,
      createdAt: row.record.createdAt,
      labels: row.record.config.labels,
      layers,
      blobs: digests,
    })),
    layers: await each(allLayers(state), async ({ chainId, parent, blobDigest, shortId }) => ({
      chainId,
      parent,
      blobDigest,
      bytes: await measure(join(paths.storage, "layers", shortId)),
    })),
    blobs: await each(
      listFolder(blobs).filter((name) => /^[0-9a-f]{64}$/.test(name)),
      async (name) => ({ digest: `sha256:${name}`, bytes: await measure(join(blobs, name)) }),
    ),
    networks: listNetworks(state).map(({ name, createdAt, spec, settings }) => ({
      name,
      createdAt,
      labels: spec.labels ?? {},
      predefined: name === deps.defaultNetwork || settings.source === "user",
    })),
    volumes: await each(listVolumes(state), async ({ info }) => ({
      name: info.name,
      driver: info.driver,
      anonymous: info.anonymous,
      createdAt: info.createdAt,
      labels: info.labels,
      users: volumeUsers(state, info.name).map(({ id }) => id),
      bytes: await measure(join(paths.volumes, info.name)),
    })),
    cacheMounts: await each(cacheFolders(ctx), async ({ name, path, usedAt }: CacheFolder) => ({
      name,
      usedAt,
      inUse: await isCacheFolderInUse(ctx, name),
      bytes: await measure(path),
    })),
    steps: listSteps(state).map(({ key, record, usedAt }) => ({ key, chainId: record.chainId ?? "", usedAt })),
    busy: await images.isBusy(),
  };
}
