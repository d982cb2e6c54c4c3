/** Ending containers: stop, kill, pause, removal. */
import { constants } from "node:os";
import { messageOf, TscError } from "../../lib/errors.js";
import { findSignal, signalNumber } from "../../lib/signals.js";
import { noSuchContainer, notRunning } from "../errors.js";
import { movePaused, setStoppedByUser } from "../state/container-states.js";
import { type ContainerRow, containerById } from "../state/containers.js";
import { beginIntent, endIntent } from "../state/intents.js";
import type { RuntimeDeps } from "./deps.js";
import { emitPlain, eventAttributes, isUp, livingPid, lockContainer } from "./lookup.js";
import { callRuntime, type RuntimeCall } from "./oci-runtime.js";
import { owner } from "./owner.js";
import { removeLocked } from "./remove.js";
import { settleContainer, settleLocked } from "./settle.js";
import { unsuperviseContainer } from "./supervise.js";

/** What a stop is told; absent is the container's own. */
export interface StopOptions {
  readonly timeoutMs?: number;
  readonly signal?: string;
}

/** Signal, grace time, SIGKILL; then everything it held is given back. `byUser` false = a restart follows. */
export async function stopContainer(
  deps: RuntimeDeps,
  id: string,
  options: StopOptions,
  byUser: boolean,
): Promise<void> {
  const { ctx } = deps;
  const asked = options.signal === undefined ? undefined : signalNumber(options.signal);
  const row = await beginStop(deps, id, byUser);
  if (row === undefined) return;
  const init = { pid: row.pid, startTime: row.pidStart };
  // What was recorded must never keep a container from ending.
  const signal = asked ?? findSignal(row.record.stopSignal) ?? constants.signals.SIGTERM;
  const timeoutMs = options.timeoutMs ?? row.record.stopTimeoutMs;
  if (row.state === "paused") await unpauseRow(deps, row);
  emitKill(deps, row, timeoutMs === 0 ? constants.signals.SIGKILL : signal);
  if (timeoutMs > 0) {
    ctx.kernel.signal(init, signal);
    if (!(await endsWithin(deps, init, timeoutMs))) {
      emitKill(deps, row, constants.signals.SIGKILL);
      ctx.kernel.signal(init, "SIGKILL");
    }
  } else if (timeoutMs < 0) {
    ctx.kernel.signal(init, signal);
  } else ctx.kernel.signal(init, "SIGKILL");
  await ctx.kernel.waitForExit(init);
  await settleContainer(deps, id);
  ctx.emit({ type: "container", action: "stop", id, name: row.name, attributes: eventAttributes(row) });
}

/** Under the lock: notes the stop and takes the supervisor off, so that nothing restarts what we end. */
async function beginStop(deps: RuntimeDeps, id: string, byUser: boolean): Promise<ContainerRow | undefined> {
  const { ctx } = deps;
  using _lock = await lockContainer(ctx, id);
  const row = containerById(ctx.state, id);
  if (row === undefined) return undefined;
  if (byUser) setStoppedByUser(ctx.state, id, true);
  await unsuperviseContainer(ctx, id);
  const settled = await settleLocked(deps, row);
  return settled?.state === "running" || settled?.state === "paused" ? settled : undefined;
}

async function endsWithin(
  deps: RuntimeDeps,
  init: { readonly pid: number; readonly startTime: string },
  timeoutMs: number,
): Promise<boolean> {
  const timeout = AbortSignal.timeout(Math.min(timeoutMs, 2_000_000_000));
  try {
    await deps.ctx.kernel.waitForExit(init, timeout);
    return true;
  } catch (error) {
    if (!timeout.aborted) throw error;
    return false;
  }
}

/** Sends one signal. SIGKILL of a paused container thaws it. `TSC_CONTAINER_NOT_RUNNING`. */
export async function killContainer(deps: RuntimeDeps, row: ContainerRow, signalText = "SIGKILL"): Promise<void> {
  const { ctx } = deps;
  const signal = signalNumber(signalText);
  requireRunning(row);
  const isFatal = signal === constants.signals.SIGKILL;
  if (isFatal) {
    setStoppedByUser(ctx.state, row.id, true);
    await unsuperviseContainer(ctx, row.id);
  }
  const sent = ctx.kernel.signal({ pid: row.pid, startTime: row.pidStart }, signal);
  if (isFatal && row.state === "paused") await unpauseRow(deps, row);
  emitKill(deps, row, signal);
  if (isFatal) {
    await ctx.kernel.waitForExit({ pid: row.pid, startTime: row.pidStart });
    await settleContainer(deps, row.id);
  } else if (!sent) await settleContainer(deps, row.id);
}

/** `TSC_CONTAINER_NOT_RUNNING` unless it runs (or is paused). */
export function requireRunning(row: ContainerRow): void {
  if (isUp(row)) return;
  throw notRunning(row.name);
}

/** Freezes every process. `TSC_PAUSE_UNSUPPORTED` without a cgroup. */
export async function pauseContainer(deps: RuntimeDeps, row: ContainerRow): Promise<void> {
  requireRunning(row);
  if (row.state === "paused") {
    throw new TscError("TSC_CONTAINER_PAUSED", `container ${row.name} is already paused`, { kind: "conflict" });
  }
  const cgroup = row.record.cgroupPath ?? "";
  if (cgroup === "" || row.record.runtime === undefined) {
    throw new TscError("TSC_PAUSE_UNSUPPORTED", `container ${row.name} cannot be paused: it has no cgroup of its own`, {
      kind: "unsupported",
      hint: "pausing needs cgroup v2 delegated to this user, or root; stopping signals would be visible to the processes",
    });
  }
  const call = { choice: row.record.runtime, cgroupPath: cgroup, verb: "pause", args: [row.id] };
  await freezing(deps, row, call, () => {
    movePaused(deps.ctx.state, row.id, "running", "paused");
    emitPlain(deps, row, "pause");
  });
}

/** One move between running and paused: an intent, the runtime's part, the row's. */
async function freezing({ ctx }: RuntimeDeps, row: ContainerRow, call: RuntimeCall, move: () => void): Promise<void> {
  const intent = beginIntent(ctx.state, "freeze", row.id, owner(ctx), ctx.kernel.bootId());
  try {
    await callRuntime(ctx, call);
  } catch (error) {
    endIntent(ctx.state, intent);
    throw error;
  }
  ctx.state.transaction(() => {
    move();
    endIntent(ctx.state, intent);
  });
}

/** Thaws. `TSC_CONTAINER_NOT_PAUSED`. */
export async function unpauseContainer(deps: RuntimeDeps, row: ContainerRow): Promise<void> {
  if (row.state !== "paused") {
    throw new TscError("TSC_CONTAINER_NOT_PAUSED", `container ${row.name} is not paused`, { kind: "conflict" });
  }
  await unpauseRow(deps, row, () => emitPlain(deps, row, "unpause"));
}

async function unpauseRow(deps: RuntimeDeps, row: ContainerRow, tell: () => void = () => undefined): Promise<void> {
  if (row.record.runtime === undefined) return;
  const cgroupPath = row.record.cgroupPath ?? "";
  const call = { choice: row.record.runtime, cgroupPath, verb: "resume", args: [row.id] };
  await freezing(deps, row, call, () => {
    movePaused(deps.ctx.state, row.id, "paused", "running");
    tell();
  });
}

/** A pause or unpause whose command died: nobody knows how far it came, and a container that runs can be paused again. */
export async function thawHalfPaused(deps: RuntimeDeps, row: ContainerRow): Promise<void> {
  if (livingPid(deps.ctx, row) === undefined) return;
  await unpauseRow(deps, row).catch((error: unknown) => {
    // what is not frozen cannot be thawed: then only the row was left behind
    if (!/not paused/i.test(messageOf(error))) throw error;
    movePaused(deps.ctx.state, row.id, "paused", "running");
  });
}

function emitKill(deps: RuntimeDeps, row: ContainerRow, signal: number): void {
  const attributes = eventAttributes(row, { signal: String(signal) });
  deps.ctx.emit({ type: "container", action: "kill", id: row.id, name: row.name, attributes });
}

/** Removes a container; `TSC_CONTAINER_RUNNING` unless forced. */
export async function removeContainer(
  deps: RuntimeDeps,
  id: string,
  options: { readonly force?: boolean; readonly volumes?: boolean },
): Promise<void> {
  const { ctx } = deps;
  let row = containerById(ctx.state, id);
  if (row === undefined) throw noSuchContainer(id);
  if (isUp(row)) row = await settleContainer(deps, id);
  if (row?.state === "running" || row?.state === "paused") {
    if (options.force !== true) {
      throw new TscError("TSC_CONTAINER_RUNNING", `container ${row.name} is running`, {
        kind: "conflict",
        hint: "stop it first, or force the removal",
      });
    }
    await killContainer(deps, row);
  }
  using _lock = await lockContainer(ctx, id);
  row = containerById(ctx.state, id);
  if (row === undefined) return;
  await removeLocked(deps, row, options.volumes === true);
}
