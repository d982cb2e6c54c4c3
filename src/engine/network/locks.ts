/** Locks between commands and within one: a queue in this process, then flock(2). Waiting here never blocks a thread per waiter. */
import { join } from "node:path";
import type { EngineContext } from "../context.js";

const queues = new Map<string, Promise<unknown>>();

/** Runs `work` while holding `locks/network-NAME` exclusively. Not reentrant. */
export function withLock<T>(ctx: EngineContext, name: string, work: () => Promise<T>): Promise<T> {
  const path = join(ctx.paths.locks, `network-${name}.lock`);
  const previous = queues.get(path) ?? Promise.resolve();
  const mine = previous.then(async () => {
    const lock = await ctx.kernel.lockFile(path, { wait: true });
    try {
      return await work();
    } finally {
      lock?.release();
    }
  });
  const settled = mine.then(
    () => undefined,
    () => undefined,
  );
  queues.set(path, settled);
  void settled.then(() => {
    if (queues.get(path) === settled) queues.delete(path);
  });
  return mine;
}
