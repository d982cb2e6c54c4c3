/** The end of a container: what it used, its files, its row, its anonymous volumes. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { tearDown, throwEvery } from "../../lib/teardown.js";
import { markRemoving } from "../state/container-states.js";
import { type ContainerRow, deleteContainer } from "../state/containers.js";
import { beginIntent, endIntentsOf } from "../state/intents.js";
import type { RuntimeDeps } from "./deps.js";
import { emitPlain, folderOf } from "./lookup.js";
import { owner } from "./owner.js";
import { releaseResources } from "./release.js";
import { unsuperviseContainer } from "./supervise.js";

/**
 * Drops a container's row, its intents and, when asked to, its anonymous volumes in one step: of a container that is gone nobody knows
 * any more that its volumes were to go too.
 */
export async function forgetContainer(
  deps: RuntimeDeps,
  id: string,
  volumes: boolean,
  inTransaction: () => void = () => undefined,
): Promise<void> {
  const { state } = deps.ctx;
  const anonymous = volumes ? deps.volumes.ofContainer(id).filter((entry) => entry.removable) : [];
  const discarded = state.transaction(() => {
    deleteContainer(state, id);
    endIntentsOf(state, id);
    inTransaction();
    return anonymous.map(({ volume }) => deps.volumes.discard(volume.name));
  });
  await tearDown(discarded.map((finish) => () => finish?.()));
}

/** Removal under the lock; also finishes one that a crash interrupted. */
export async function removeLocked(deps: RuntimeDeps, row: ContainerRow, volumes: boolean): Promise<void> {
  const { ctx } = deps;
  const { id } = row;
  const wasStarted = row.incarnation > 0 && row.bootId === ctx.kernel.bootId() && row.state !== "exited";
  ctx.state.transaction(() => {
    markRemoving(ctx.state, id);
    beginIntent(ctx.state, volumes ? "remove-all" : "remove", id, owner(ctx), ctx.kernel.bootId());
  });
  if (wasStarted) {
    throwEvery(await releaseResources(deps, row));
  } else await unsuperviseContainer(ctx, id);
  if (row.incarnation > 0 && row.spec.networkMode?.kind !== "container") {
    await (await deps.networking()).detach(id, { release: true });
  }
  await Promise.all([
    row.spec.rootfs === undefined ? (await deps.storage()).removeRootfs(id) : undefined,
    ctx.kernel.removeTree(folderOf(ctx, id)),
  ]);
  await forgetContainer(deps, id, volumes, () => emitPlain(deps, row, "destroy"));
  await rm(join(ctx.paths.locks, `container-${id}`), { force: true });
}
