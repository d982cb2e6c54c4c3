/** What the supervisor orders when a container ended: bring it back, or clean up after it. */
import { ensureSupervisor } from "../health/index.js";
import { containerById } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import { isUp, lockContainer } from "./lookup.js";
import { removeLocked } from "./remove.js";
import { settleLocked } from "./settle.js";
import { startContainer } from "./start.js";
import { restartsAfter, unsuperviseContainer, watchAgain } from "./supervise.js";

/** Settles the exit and starts again if the policy still wants it (a stop may have come between). */
export async function restartByPolicy(deps: RuntimeDeps, id: string): Promise<void> {
  const { ctx } = deps;
  const row = await (async () => {
    using _lock = await lockContainer(ctx, id);
    const found = containerById(ctx.state, id);
    const settled = found === undefined ? undefined : await settleLocked(deps, found, { keepWatch: true });
    const isOver = settled === undefined || (settled.state === "exited" && !restartsAfter(settled, settled.exitCode));
    if (!isOver) return settled;
    await unsuperviseContainer(ctx, id);
    return undefined;
  })();
  if (row === undefined) return;
  // started by a command that died before it could say which run is to be watched
  if (isUp(row)) await watchAgain(ctx, id);
  if (row.state !== "exited") return;
  await startContainer(deps, id, { restartCount: row.restartCount + 1, onlyIncarnation: row.incarnation });
  await ensureSupervisor(ctx);
}

/** Settles the exit; removes the container that asked for it. */
export async function cleanupExited(deps: RuntimeDeps, id: string): Promise<void> {
  const { ctx } = deps;
  using _lock = await lockContainer(ctx, id);
  const found = containerById(ctx.state, id);
  if (found === undefined) {
    await unsuperviseContainer(ctx, id);
    return;
  }
  const row = await settleLocked(deps, found);
  if (row?.state !== "exited") return;
  await unsuperviseContainer(ctx, id);
  if (row.spec.autoRemove === true) await removeLocked(deps, row, true);
}
