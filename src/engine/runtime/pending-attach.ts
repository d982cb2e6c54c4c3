/** Attaching before the start: sessions that come alive between conmon's create and the start. */
import { join } from "node:path";
import type { ContainerRow } from "../state/containers.js";
import type { StdioSession } from "../types.js";
import type { RuntimeDeps } from "./deps.js";
import { bundleOf } from "./lookup.js";
import { openSession } from "./session.js";

/** Attaches that wait for their container's start in this process. */
export class PendingAttaches {
  readonly #waiting = new Map<string, { connect: (session: StdioSession | undefined) => void }[]>();
  readonly #exits: {
    readonly id: string;
    readonly resolve: (code: number | undefined) => void;
    readonly wait: (id: string) => Promise<number>;
  }[] = [];

  /** A session that comes alive with the next start of the container, with everything the process writes. */
  add(id: string): StdioSession {
    const inner = new Promise<StdioSession | undefined>((resolve) => {
      const list = this.#waiting.get(id) ?? [];
      list.push({ connect: resolve });
      this.#waiting.set(id, list);
    });
    return {
      output: (async function* () {
        const session = await inner;
        if (session !== undefined) yield* session.output;
      })(),
      write: async (data) => (await inner)?.write(data),
      endInput: async () => (await inner)?.endInput(),
      resize: async (rows, columns) => (await inner)?.resize(rows, columns),
      exit: inner.then((session) => session?.exit),
      detach: async () => {
        this.#drop(id);
        await (await inner)?.detach();
      },
      [Symbol.asyncDispose]: async () => {
        this.#drop(id);
        await (await inner)?.[Symbol.asyncDispose]();
      },
    };
  }

  /** Connects everyone who waits; for the time between conmon's create and the start. */
  async connect(deps: RuntimeDeps, row: ContainerRow, wait: (id: string) => Promise<number>): Promise<void> {
    const list = this.#waiting.get(row.id) ?? [];
    this.#waiting.delete(row.id);
    const folder = bundleOf(deps.ctx, row.id);
    for (const { connect } of list) {
      const socket = await deps.ctx.kernel.connectPacketSocket(join(folder, "attach"));
      let resolveExit: (code: number | undefined) => void = () => undefined;
      const exit = new Promise<number | undefined>((resolve) => {
        resolveExit = resolve;
      });
      connect(openSession({ socket, folder, exit, whenSlow: "drop", onClose: () => undefined }));
      this.#exits.push({ id: row.id, resolve: resolveExit, wait });
    }
  }

  /** The row says running now: exit codes can be waited for. */
  started(id: string): void {
    for (const entry of this.#exits.splice(0)) {
      if (entry.id !== id) {
        this.#exits.push(entry);
        continue;
      }
      entry.wait(id).then(entry.resolve, () => entry.resolve(undefined));
    }
  }

  /** The start failed: whoever waits is told that there is nothing. */
  failed(id: string): void {
    this.#drop(id);
    for (const entry of this.#exits.splice(0)) {
      if (entry.id === id) entry.resolve(undefined);
      else this.#exits.push(entry);
    }
  }

  #drop(id: string): void {
    for (const { connect } of this.#waiting.get(id) ?? []) connect(undefined);
    this.#waiting.delete(id);
  }
}
