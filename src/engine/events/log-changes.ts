/** When it is worth looking into the events table again. */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { nowNano } from "../../lib/timestamp.js";

/** The log's pages are written just before the commit becomes visible; a second look after this covers the gap. */
const SECOND_LOOK_MS = 25;

/** Wakes a follower when the database may have changed, until a time or an abort. */
export class LogChanges {
  readonly #watcher: FSWatcher;
  readonly #signal: AbortSignal | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #second: NodeJS.Timeout | undefined;
  #dirty = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(database: string, signal: AbortSignal | undefined, until: bigint | undefined) {
    const log = `${basename(database)}-wal`;
    this.#watcher = watch(dirname(database), (_kind, file) => {
      if (file !== null && file !== log) return;
      this.#mark();
      this.#second ??= setTimeout(() => {
        this.#second = undefined;
        this.#mark();
      }, SECOND_LOOK_MS);
    });
    this.#watcher.on("error", this.#end);
    this.#signal = signal;
    if (signal?.aborted === true) this.#closed = true;
    signal?.addEventListener("abort", this.#end);
    if (until !== undefined) {
      const left = Number((until - nowNano()) / 1_000_000n);
      // setTimeout overflows above 24.8 days; no command runs that long.
      this.#deadline = setTimeout(this.#end, Math.max(0, Math.min(left, 2_000_000_000)));
    }
  }

  readonly #end = (): void => {
    this.#closed = true;
    this.#wake?.();
  };

  #mark(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  /** True when it is worth looking again, false when following is over. */
  async next(): Promise<boolean> {
    if (!this.#dirty && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#dirty = false;
    return !this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#watcher.close();
    clearTimeout(this.#deadline);
    clearTimeout(this.#second);
    this.#signal?.removeEventListener("abort", this.#end);
  }
}
