/** Many small changes, few big updates. Knows nothing about what is updated. */

/** Changes of what is always written whole: who notes one waits for an update that has seen it. */
export interface Coalescer {
  /** Notes a change; the number that `settled` takes. */
  changed(): number;
  /** Resolves once an update that began after that change has ended; rejects as that update does. */
  settled(change: number): Promise<void>;
}

/** Runs `update` one at a time; everybody who waits while one runs shares the next. */
export function createCoalescer(update: () => Promise<void>): Coalescer {
  let changes = 0;
  let done = 0;
  let current: { readonly covers: number; readonly work: Promise<void> } | undefined;
  let next: Promise<void> | undefined;

  async function begin(): Promise<void> {
    // The rest of a burst gets its chance to be noted.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const covers = changes;
    next = undefined;
    const work = update().then(() => {
      done = Math.max(done, covers);
    });
    current = { covers, work };
    return work;
  }

  return {
    changed: () => ++changes,
    settled: async (change) => {
      if (done >= change) return;
      if (current !== undefined && current.covers >= change) return current.work;
      const previous = current?.work ?? Promise.resolve();
      next ??= previous.then(begin, begin);
      return next;
    },
  };
}
