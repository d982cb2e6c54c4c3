/**
 * What every command does first: settle what crashes, reboots and exits left behind. One /proc read per running
 * container when all is well.
 */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { uptime } from "node:os";
import { join } from "node:path";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { processFile } from "../../kernel/proc.js";
import { errnoOf, messageOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import {
  ensureSupervisor,
  hasWatches,
  importHealthEvents,
  isSupervised,
  isWatched,
  isWatchedRun,
} from "../health/index.js";
import { isNetworkDamaged } from "../network/damage.js";
import { isOrphaned } from "../owned-names.js";
import {
  type ContainerRow,
  containerById,
  type LiveRow,
  liveContainers,
  ownedContainers,
} from "../state/containers.js";
import { endIntent, type Intent, openIntents } from "../state/intents.js";
import type { RuntimeDeps } from "./deps.js";
import { bundleOf, folderOf, lockContainer } from "./lookup.js";
import { hasDied, releaseResources, settleLocked } from "./settle.js";
import { forgetContainer, removeContainer, removeLocked, thawHalfPaused } from "./stop.js";
import { restartsAfter, watchAgain } from "./supervise.js";

const STRAY_ROUNDS = 50;
/** Clocks are read at different moments. */
const START_TOLERANCE_MS = 1_000;

/** Brings database and reality together. Failures about one container are warnings: they must not stop a command about another. */
export async function repairContainers(deps: RuntimeDeps): Promise<void> {
  const { ctx } = deps;
  await importHealthEvents(ctx);
  const running: LiveRow[] = [];
  for (const live of liveContainers(ctx.state)) {
    if (hasDied(deps, live)) await guarded(ctx, live.id, () => settleDead(deps, live.id));
    else running.push(live);
  }
  for (const intent of openIntents(ctx.state)) {
    const isOwned =
      intent.bootId === ctx.kernel.bootId() &&
      ctx.kernel.isAlive({ pid: intent.ownerPid, startTime: intent.ownerStart });
    if (!isOwned) await guarded(ctx, intent.subject, () => finishIntent(deps, intent));
  }
  await removeAbandoned(deps);
  await deps.volumes.repair();
  await reviveHelpers(deps, running);
}

/** Containers whose command was killed before it could remove them. */
async function removeAbandoned(deps: RuntimeDeps): Promise<void> {
  const { ctx } = deps;
  for (const { id, owner, state } of ownedContainers(ctx.state)) {
    // Work that somebody asked for goes on without its terminal; nobody waits for the step of a build.
    if (owner.kind === "command" && (state === "running" || state === "paused")) continue;
    if (!isOrphaned(ctx.kernel, owner.name, owner.kind === "build" ? "build-" : "")) continue;
    await guarded(ctx, id, () => removeContainer(deps, id, { force: true, volumes: true }));
  }
}

/** Watches that running containers need and do not have, and helper processes that died under them. */
async function reviveHelpers(deps: RuntimeDeps, running: readonly LiveRow[]): Promise<void> {
  const { ctx } = deps;
  for (const row of running) {
    if (!isWatchedRun(ctx, row)) await guarded(ctx, row.id, () => watchAgain(ctx, row.id));
  }
  for (const row of running) {
    const { name, conmonPid, conmonStart } = row;
    // Ending a working service because its log keeper died would be the greater harm. Asked again: both may have ended meanwhile.
    if (conmonPid > 0 && !ctx.kernel.isAlive({ pid: conmonPid, startTime: conmonStart }) && !hasDied(deps, row))
      ctx.warn(`container ${name} runs on without its monitor (conmon): output is lost until it is restarted`);
  }
  // Each for itself: helpers die together, and one that cannot come back must not keep the others away.
  await revived(ctx, async () => {
    if (hasWatches(ctx) && !isSupervised(ctx)) await ensureSupervisor(ctx);
  });
  await revived(ctx, async () => {
    if (isNetworkDamaged(ctx)) await (await deps.networking()).repair();
  });
}

async function revived(ctx: EngineContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.warn(`a helper process cannot be brought back: ${messageOf(error)}`);
  }
}

async function guarded(ctx: EngineContext, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.warn(`container ${id.slice(0, 12)} cannot be repaired: ${messageOf(error)}`);
  }
}

/** A dead container that its policy brings back is the supervisor's; any other is settled here. True when it is settled. */
export async function settleDead(deps: RuntimeDeps, id: string): Promise<void> {
  const { ctx } = deps;
  const row = containerById(ctx.state, id);
  if (row === undefined) return;
  if (lacksWatch(deps, row)) await watchAgain(ctx, id);
  if ((await endBeforeRestart(deps, row)) !== undefined) {
    await ensureSupervisor(ctx);
    return;
  }
  using _lock = await lockContainer(ctx, id);
  const fresh = containerById(ctx.state, id);
  if (fresh === undefined) return;
  await settleLocked(deps, fresh);
}

/** A restart by policy that nobody would bring about, because a command was killed between its start and the watch. */
function lacksWatch({ ctx }: Pick<RuntimeDeps, "ctx">, row: ContainerRow): boolean {
  const isWanted = (row.spec.restart?.policy ?? "no") !== "no" && !row.stoppedByUser;
  return isWanted && !isWatchedRun(ctx, row) && existsSync(join(bundleOf(ctx, row.id), "config.json"));
}

/** How a watched container's last run ended, between its death and its restart by policy; undefined when it is not restarted. */
export async function endBeforeRestart(
  { ctx }: Pick<RuntimeDeps, "ctx">,
  row: ContainerRow,
): Promise<Pick<ContainerRow, "exitCode" | "finishedAt"> | undefined> {
  if (row.bootId !== ctx.kernel.bootId() || (row.spec.restart?.policy ?? "no") === "no") return undefined;
  if (!isWatched(ctx, row.id)) return undefined;
  // settled already by the restart that is under way: then conmon's file is gone
  const end = row.state === "exited" ? row : await writtenEnd(join(ctx.paths.exits, row.id), row);
  return restartsAfter(row, end.exitCode) ? { exitCode: end.exitCode, finishedAt: end.finishedAt } : undefined;
}

/** What conmon wrote of an end; 255 when it could not. */
async function writtenEnd(path: string, row: ContainerRow): Promise<Pick<ContainerRow, "exitCode" | "finishedAt">> {
  try {
    const [code, { mtime }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return { exitCode: Number(code), finishedAt: mtime.toISOString() };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return { exitCode: 255, finishedAt: row.finishedAt };
  }
}

async function finishIntent(deps: RuntimeDeps, intent: Intent): Promise<void> {
  const { ctx } = deps;
  using _lock = await lockContainer(ctx, intent.subject);
  const row = containerById(ctx.state, intent.subject);
  if (row === undefined) {
    endIntent(ctx.state, intent.id);
    return;
  }
  switch (intent.kind) {
    case "create":
      if (row.spec.rootfs === undefined) await (await deps.storage()).removeRootfs(row.id);
      await ctx.kernel.removeTree(folderOf(ctx, row.id));
      await forgetContainer(deps, row.id, true);
      return;
    case "start":
      if (row.state !== "running" && row.state !== "paused") await killHalfStarted(deps, row);
      endIntent(ctx.state, intent.id);
      return;
    case "freeze":
      await thawHalfPaused(deps, row);
      endIntent(ctx.state, intent.id);
      return;
    case "restart":
      // stopped or started, both are whole: the next command goes on from there
      if (row.state === "exited" && row.spec.autoRemove === true) await removeLocked(deps, row, true);
      endIntent(ctx.state, intent.id);
      return;
    case "remove":
    case "remove-all":
      await removeLocked(deps, row, intent.kind === "remove-all");
      return;
  }
}

/** A start whose command died: its process (if there is one) was never given to anybody. */
async function killHalfStarted(deps: RuntimeDeps, row: ContainerRow): Promise<void> {
  const { ctx } = deps;
  // A conmon that has written no pid file yet goes on by itself, and so does the runtime it has started.
  for (let round = 0; ; round++) {
    const strays = ctx.kernel.findProcesses(["tsc-nsexec", "conmon", "crun", "runc"], row.id);
    if (strays.length === 0) break;
    // Anybody can go on making processes of these names.
    if (round === STRAY_ROUNDS) throw new TscError("TSC_STRAY_PROCESSES", strayWords(row, strays));
    for (const stray of strays) {
      ctx.kernel.signal(stray, "SIGKILL");
      await ctx.kernel.waitForExit(stray, AbortSignal.timeout(10_000));
    }
  }
  for (const name of ["pid", "conmon.pid"]) {
    const path = join(bundleOf(ctx, row.id), name);
    if (row.bootId !== ctx.kernel.bootId() || !existsSync(path)) continue;
    const found = ctx.kernel.processIdentity(Number(await readFile(path, "utf8")));
    // A pid that was used again belongs to a process that is younger than the file.
    const written = (await stat(path)).mtimeMs;
    if (found === undefined || startedAt(found) > written + START_TOLERANCE_MS) continue;
    if (!mentions(found.pid, row.id)) continue;
    ctx.kernel.signal(found, "SIGKILL");
    await ctx.kernel.waitForExit(found, AbortSignal.timeout(10_000));
  }
  for (const error of await releaseResources(deps, row)) ctx.warn(messageOf(error));
}

function strayWords(row: ContainerRow, strays: readonly ProcessIdentity[]): string {
  return `processes that name container ${row.name} come again and again: ${strays.map(({ pid }) => pid).join(", ")}`;
}

/** When a process began, in milliseconds since 1970: /proc counts in hundredths of a second since boot. */
function startedAt(process: ProcessIdentity): number {
  return Date.now() - uptime() * 1000 + Number(process.startTime) * 10;
}

function mentions(pid: number, id: string): boolean {
  return ["cmdline", "mountinfo"].some((name) => processFile(pid, name)?.includes(id) === true);
}
