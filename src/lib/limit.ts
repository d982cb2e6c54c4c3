/** Bounds how much asynchronous work runs at once. */

/** Runs `work` when fewer than the limit are running; first come, first served. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

/** A limiter that lets `max` pieces of work run at the same time. */
export function createLimiter(max: number): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
