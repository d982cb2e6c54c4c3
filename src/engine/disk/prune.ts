/** Carries a prune plan out. Each thing is looked at again when it goes: what has come into use since the plan stays. */
import { isTscError } from "../../lib/errors.js";
import type { ContainersApi, NetworksApi, VolumesApi } from "../api.js";
import { removeCacheFolder } from "../builder/index.js";
import { deleteStep } from "../state/build-steps.js";
import { type DiskDeps, takeInventory } from "./inventory.js";
import { planBytes, planPrune } from "./plan.js";
import type { PrunePlan, PruneRequest } from "./types.js";

/** What prunes remove with. */
export interface PruneDeps extends DiskDeps {
  readonly containers: Pick<ContainersApi, "remove">;
  readonly networks: Pick<NetworksApi, "remove">;
  readonly volumes: Pick<VolumesApi, "remove">;
}

/** In the meantime it was removed, or is used. */
const OVERTAKEN: ReadonlySet<string> = new Set(["not-found", "conflict"]);

/** Plans and removes; the plan without what stayed. Errors: those of the parts, when something that is not in use cannot be removed. */
export async function prune(deps: PruneDeps, request: PruneRequest, signal?: AbortSignal): Promise<PrunePlan> {
  const plan = planPrune(await takeInventory(deps, signal), request);
  const containers = await removed(plan.containers, ({ id }) => deps.containers.remove(id));
  const networks = await removed(plan.networks, ({ name }) => deps.networks.remove(name));
  const volumes = await removed(plan.volumes, ({ name }) => deps.volumes.remove(name));
  const ofImages = await deps.images.discard(plan.images);
  for (const { key } of plan.steps) deleteStep(deps.ctx.state, key);
  const cacheMounts = [];
  for (const one of plan.cacheMounts) if (await removeCacheFolder(deps.ctx, one.name)) cacheMounts.push(one);
  const unused = await deps.images.discardUnused({
    layers: plan.cacheLayers.map(({ chainId }) => chainId),
    blobs: plan.cacheBlobs.map(({ digest }) => digest),
  });
  const done = {
    containers,
    networks,
    volumes,
    images: plan.images.filter(({ id }) => ofImages.images.includes(id)),
    imageLayers: plan.imageLayers.filter(({ chainId }) => ofImages.layers.includes(chainId)),
    imageBlobs: plan.imageBlobs.filter(({ digest }) => ofImages.blobs.includes(digest)),
    steps: plan.steps,
    cacheMounts,
    cacheLayers: plan.cacheLayers.filter(({ chainId }) => unused.layers.includes(chainId)),
    cacheBlobs: plan.cacheBlobs.filter(({ digest }) => unused.blobs.includes(digest)),
  };
  return { ...done, bytes: planBytes(done) };
}

async function removed<T>(things: readonly T[], remove: (thing: T) => Promise<void>): Promise<readonly T[]> {
  const done: T[] = [];
  for (const thing of things) {
    try {
      await remove(thing);
      done.push(thing);
    } catch (error) {
      if (!isTscError(error) || !OVERTAKEN.has(error.kind)) throw error;
    }
  }
  return done;
}
