/** What a container is at this moment: its row with the kernel's word on whether it runs. */
import { noSuchContainer } from "../errors.js";
import { type ContainerRow, containerById } from "../state/containers.js";
import type { ContainerInfo } from "../types.js";
import type { RuntimeDeps } from "./deps.js";
import { containerInfo } from "./inspect.js";
import { findContainer, isBeingRestarted, isUp } from "./lookup.js";

/** What callers are told of a row; one whose process has ended is settled first. Undefined when it has gone with that. */
export async function freshInfo(deps: RuntimeDeps, row: ContainerRow): Promise<ContainerInfo | undefined> {
  const { ctx } = deps;
  const isRunning = isUp(row);
  if (row.state === "exited" && isBeingRestarted(ctx, row.id)) return containerInfo(ctx, row, "restarting");
  const isSettled = !isRunning && (row.state !== "exited" || (row.spec.restart?.policy ?? "no") === "no");
  if (isSettled) return containerInfo(ctx, row);
  const isSameBoot = row.bootId === ctx.kernel.bootId();
  if (isRunning && isSameBoot && ctx.kernel.isAlive({ pid: row.pid, startTime: row.pidStart }))
    return containerInfo(ctx, row);
  const repair = await import("./repair.js");
  const end = await repair.endBeforeRestart(deps, row);
  if (end !== undefined) return containerInfo(ctx, { ...row, ...end }, "restarting");
  if (!isRunning) return containerInfo(ctx, row);
  await repair.settleDead(deps, row.id);
  const settled = containerById(ctx.state, row.id);
  return settled === undefined ? undefined : containerInfo(ctx, settled);
}

/** By name, id or id prefix. `TSC_CONTAINER_NOT_FOUND`, `TSC_CONTAINER_AMBIGUOUS`. */
export async function inspectContainer(deps: RuntimeDeps, reference: string): Promise<ContainerInfo> {
  const info = await freshInfo(deps, findContainer(deps.ctx, reference));
  if (info !== undefined) return info;
  throw noSuchContainer(reference);
}
