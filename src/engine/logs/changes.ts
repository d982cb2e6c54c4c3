/** Wakes the follower of a log: writes and renames in its folder, the end of its container, abort. */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** When following ends. */
export interface ChangesOptions {
  readonly signal?: AbortSignal;
  /** Nothing is written any more once this resolves. Never rejects. */
  readonly finished?: Promise<unknown>;
}

/** Lives as long as somebody follows. */
export class FileChanges implements Disposable {
  readonly #watcher: FSWatcher;
  readonly #signal: AbortSignal | undefined;
  #state: "idle" | "changed" | "finishing" | "ended" = "idle";
  #wake: (() => void) | undefined;

  constructor(path: string, options: ChangesOptions) {
    const name = basename(path);
    this.#watcher = watch(dirname(path), (_kind, file) => {
      if (file === null || file === name) this.#set("changed");
    });
    this.#watcher.on("error", () => this.#set("ended"));
    this.#signal = options.signal;
    if (options.signal?.aborted === true) this.#state = "ended";
    options.signal?.addEventListener("abort", this.#abort);
    void options.finished?.then(() => this.#set("finishing"));
  }

  readonly #abort = (): void => this.#set("ended");

  #set(state: "changed" | "finishing" | "ended"): void {
    const isWeaker = state === "changed" && this.#state !== "idle";
    if (!isWeaker && this.#state !== "ended") this.#state = state;
    this.#wake?.();
  }

  /** `changed`: read again; `quiet`: nothing came for `quietMs`; `end`: everything was read and nothing more will come. */
  async next(quietMs: number | undefined): Promise<"changed" | "quiet" | "end"> {
    if (this.#state === "idle") {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (quietMs !== undefined) timer = setTimeout(resolve, quietMs);
      });
      this.#wake = undefined;
      clearTimeout(timer);
    }
    switch (this.#state) {
      case "idle":
        return "quiet";
      case "changed":
        this.#state = "idle";
        return "changed";
      case "finishing":
        // One more pass: the last lines may have been written after our last read and before the end.
        this.#state = "ended";
        return "changed";
      case "ended":
        return "end";
    }
  }

  [Symbol.dispose](): void {
    this.#state = "ended";
    this.#watcher.close();
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
