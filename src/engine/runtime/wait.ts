/** Waiting for a container's end. */
import { containerById } from "../state/containers.js";
import { lastExitCode } from "../state/events.js";
import type { RuntimeDeps } from "./deps.js";
import { findContainer, isUp } from "./lookup.js";

/** The exit code, once the container does not run; an end of the signal throws its reason. `TSC_CONTAINER_NOT_FOUND`. */
export async function waitContainer(deps: RuntimeDeps, id: string, signal?: AbortSignal): Promise<number> {
  const { ctx } = deps;
  const row = findContainer(ctx, id);
  if (isUp(row)) {
    await ctx.kernel.waitForExit({ pid: row.pid, startTime: row.pidStart }, signal);
    // A container that restarts by policy is settled by its supervisor; its exit code is in conmon's file until then.
    const { readExit, settleContainer } = await import("./settle.js");
    const exit = await readExit(deps, row, { pid: row.conmonPid, startTime: row.conmonStart });
    const repair = await import("./repair.js");
    if ((await repair.endBeforeRestart(deps, row)) === undefined && row.spec.autoRemove !== true) {
      await settleContainer(deps, row.id);
    }
    const settled = containerById(ctx.state, row.id);
    if (settled?.state === "exited") return settled.exitCode;
    // another command has settled it, and removed or started it since: conmon's file is gone, its event is not
    return (exit.error === "" ? undefined : lastExitCode(ctx.state, row.id)) ?? exit.exitCode;
  }
  return row.exitCode;
}
