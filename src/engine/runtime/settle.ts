/**
 * What happens after a container's process has ended, whoever notices: read the exit code, give back network, mounts
 * and cgroups, then change the row once. Every step is idempotent; the row changes last, so a crash repeats them.
 */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import { markExited } from "../state/container-states.js";
import { type ContainerRow, containerById } from "../state/containers.js";
import { beginIntent } from "../state/intents.js";
import type { RuntimeDeps } from "./deps.js";
import { bundleOf, eventAttributes, isBeingRestarted, lockContainer } from "./lookup.js";
import { owner } from "./owner.js";
import { type ReleaseOptions, releaseResources } from "./release.js";

/** conmon drains the container's output before it writes the exit file. */
const CONMON_TIMEOUT_MS = 10_000;
/** docker's code for "nobody saw how it ended". */
const UNKNOWN_EXIT = 255;

/** How a container ended. */
export interface ExitFacts {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly finishedAt: string;
  readonly error: string;
}

/** True when the database says that a process runs but the kernel knows none. */
export function hasDied(
  deps: Pick<RuntimeDeps, "ctx">,
  row: Pick<ContainerRow, "bootId" | "pid" | "pidStart">,
): boolean {
  if (row.bootId !== deps.ctx.kernel.bootId()) return true;
  return !deps.ctx.kernel.isAlive({ pid: row.pid, startTime: row.pidStart });
}

/** Settles a container under its lock; its row afterwards, undefined when it is gone. */
export async function settleContainer(deps: RuntimeDeps, id: string): Promise<ContainerRow | undefined> {
  using _lock = await lockContainer(deps.ctx, id);
  const row = containerById(deps.ctx.state, id);
  return row === undefined ? undefined : await settleLocked(deps, row);
}

/**
 * Like `settleContainer` for who holds the lock. A row whose process lives comes back as it is. A container that is to go with its end
 * goes here, whoever notices the end, unless it is being restarted: undefined.
 */
export async function settleLocked(
  deps: RuntimeDeps,
  row: ContainerRow,
  options: ReleaseOptions = {},
): Promise<ContainerRow | undefined> {
  const { ctx } = deps;
  if ((row.state !== "running" && row.state !== "paused") || !hasDied(deps, row)) return row;
  const isOldBoot = row.bootId !== ctx.kernel.bootId();
  const exit: ExitFacts = isOldBoot
    ? { exitCode: UNKNOWN_EXIT, oomKilled: false, finishedAt: new Date().toISOString(), error: "" }
    : await readExit(deps, row, { pid: row.conmonPid, startTime: row.conmonStart });
  for (const error of await releaseResources(deps, row, options)) {
    ctx.warn(
      `container ${row.name}: clean-up after its end: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const isRemoved = row.spec.autoRemove === true && options.keepWatch !== true && !isBeingRestarted(ctx, row.id);
  ctx.state.transaction(() => {
    if (!markExited(ctx.state, row.id, row.incarnation, exit)) return;
    // With the end: an ended container that nobody is to remove any more would stay for good.
    if (isRemoved) beginIntent(ctx.state, "remove-all", row.id, owner(ctx), ctx.kernel.bootId());
    const event = { type: "container" as const, id: row.id, name: row.name };
    if (exit.oomKilled) ctx.emit({ ...event, action: "oom", attributes: eventAttributes(row) });
    ctx.emit({ ...event, action: "die", attributes: eventAttributes(row, { exitCode: String(exit.exitCode) }) });
  });
  const settled = containerById(ctx.state, row.id);
  if (!isRemoved || settled === undefined) return settled;
  await (await import("./remove.js")).removeLocked(deps, settled, true);
  return undefined;
}

/** How it ended, from conmon's files; waits for conmon to finish writing them. */
export async function readExit(deps: RuntimeDeps, row: ContainerRow, conmon: ProcessIdentity): Promise<ExitFacts> {
  const { ctx } = deps;
  const path = join(ctx.paths.exits, row.id);
  if (!existsSync(path) && ctx.kernel.isAlive(conmon)) {
    await ctx.kernel.waitForExit(conmon, AbortSignal.timeout(CONMON_TIMEOUT_MS)).catch((error: unknown) => {
      ctx.warn(`container ${row.name}: its monitor still runs after its end (${String(error)})`);
    });
  }
  const oomKilled = existsSync(join(bundleOf(ctx, row.id), "oom"));
  try {
    const code = Number.parseInt(await readFile(path, "utf8"), 10);
    const { mtime } = await stat(path);
    return { exitCode: code, oomKilled, finishedAt: mtime.toISOString(), error: "" };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return {
      exitCode: UNKNOWN_EXIT,
      oomKilled,
      finishedAt: new Date().toISOString(),
      error: "its monitor (conmon) was killed, so the exit code is unknown",
    };
  }
}
