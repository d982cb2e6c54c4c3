/** Locks between commands and within one: a queue in this process, then flock(2). Waiting here never blocks a thread per waiter. */
import type { EngineContext } from "../context.js";
import { takeLock } from "../take-lock.js";

const queues = new Map<string, Promise<unknown>>();

/** What the locks that are no network's guard. */
const GUARDED = {
  firewall: "the packet filter",
  rootless: "the network namespace of the rootless containers",
  ports: "the published ports",
  dns: "the name server of the networks",
} as const;

/** Runs `work` while holding a lock of the whole engine, or of one network, exclusively. Not reentrant. */
export function withLock<T>(
  ctx: EngineContext,
  of: keyof typeof GUARDED | { readonly id: string; readonly name: string },
  work: () => Promise<T>,
): Promise<T> {
  const file = `network-${typeof of === "string" ? of : `net-${of.id}`}.lock`;
  const what = typeof of === "string" ? GUARDED[of] : `network ${of.name}`;
  const path = `${ctx.paths.locks}/${file}`;
  const previous = queues.get(path) ?? Promise.resolve();
  const mine = previous.then(async () => {
    using _lock = await takeLock(ctx, file, what);
    return await work();
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
