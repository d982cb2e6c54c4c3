/** Keeping what no image refers to yet from being collected. */
import type { FileLock } from "../../kernel/kernel.js";
import type { EngineContext } from "../context.js";

/** This engine's hold on the store: taken with the first work that needs it, given up when the last has ended. */
export class StoreHold implements Disposable {
  readonly #ctx: EngineContext;
  #lock: Promise<FileLock> | undefined;
  #users = 0;
  #isKept = false;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
  }

  /** Nothing that no image refers to is removed from the store, by this command or another, while `work` runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const { holdStore } = await import("./collect.js");
    this.#lock ??= holdStore(this.#ctx);
    this.#users++;
    try {
      await this.#lock;
      return await work();
    } finally {
      if (--this.#users === 0 && !this.#isKept) this[Symbol.dispose]();
    }
  }

  /** From the first layer made here until the engine closes: its image is recorded by somebody else, later. */
  keep(): void {
    this.#isKept = true;
  }

  [Symbol.dispose](): void {
    this.#lock?.then(
      (lock) => lock.release(),
      () => {},
    );
    this.#lock = undefined;
  }
}
