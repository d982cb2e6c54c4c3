/**
 * Wakes whoever waits for a container to change. Follows the engine's events once for all waiters. A waiter registers before it
 * looks, so no change is lost between looking and waiting.
 */
import type { EngineApi } from "../engine/api.js";

/** Health is recorded by the native supervisor, outside this process: look again at least this often. */
const LOOK_AGAIN_MS = 500;

/** Wakes whoever waits for something to happen to containers. */
export class ContainerWatch {
  readonly #engine: EngineApi;
  readonly #stop = new AbortController();
  readonly #waiters = new Map<string, Set<() => void>>();
  #running = false;

  constructor(engine: EngineApi) {
    this.#engine = engine;
  }

  /** Resolves when something happened to the container since this call, or after a short time. */
  changed(id: string): Promise<void> {
    this.#start();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.get(id)?.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, LOOK_AGAIN_MS);
      const waiters = this.#waiters.get(id) ?? new Set();
      waiters.add(wake);
      this.#waiters.set(id, waiters);
    });
  }

  close(): void {
    this.#stop.abort();
    for (const waiters of this.#waiters.values()) for (const wake of [...waiters]) wake();
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    try {
      for await (const event of this.#engine.events.stream({ follow: true, signal: this.#stop.signal })) {
        if (event.type !== "container") continue;
        for (const wake of [...(this.#waiters.get(event.id) ?? [])]) wake();
      }
    } catch {
      // Without events the timers of the waiters still bring them on; the failure itself shows in their own calls.
      this.#running = false;
    }
  }
}
