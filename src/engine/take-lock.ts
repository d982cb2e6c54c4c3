/** Taking a lock that somebody may hold for long: whoever waits says for what. */

import { resolve } from "node:path";
import type { FileLock } from "../kernel/kernel.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import type { EngineContext } from "./context.js";

/** What others do with a lock takes less; then the wait is told. */
const LONG_WAIT_MS = 5_000;

/** How a lock is waited for. */
export interface LockWait {
  /** Beside others that take it shared. */
  readonly shared?: boolean;
  /** Ends the wait: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Paths of the locks that this process has, and how often: one lock may be shared. */
const mine = new Map<string, number>();

/**
 * Waits for `locks/FILE` (or a path), exclusive unless `shared`, until whoever has it lets go or dies. `what` is the thing it guards, as
 * a person knows it; a wait that lasts is told once. `TSC_LOCK_FAILED`.
 */
export async function takeLock(
  ctx: Pick<EngineContext, "kernel" | "paths" | "warn">,
  file: string,
  what: string,
  { shared = false, signal }: LockWait = {},
): Promise<FileLock> {
  const path = resolve(ctx.paths.locks, file);
  const late = setTimeout(() => {
    const holder = mine.has(path) ? "other work of this command" : "another command";
    ctx.warn(`${what} is held by ${holder} that is still at work; waiting for it`);
  }, LONG_WAIT_MS);
  const lock = await ctx.kernel
    .lockFile(path, { wait: true, shared, ...given({ signal }) })
    .finally(() => clearTimeout(late));
  if (lock === undefined) throw new TscError("TSC_LOCK_FAILED", `${what} cannot be locked`);
  return counted(path, lock);
}

/** The lock, known as this process's until it is released. */
function counted(path: string, lock: FileLock): FileLock {
  mine.set(path, (mine.get(path) ?? 0) + 1);
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    const rest = (mine.get(path) ?? 1) - 1;
    if (rest === 0) mine.delete(path);
    else mine.set(path, rest);
    lock.release();
  };
  return { release, [Symbol.dispose]: release };
}
