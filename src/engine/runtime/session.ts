/** A `StdioSession` over conmon's attach socket. Owns the socket; knows neither rows nor runtimes. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { PacketSocket } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { StdioSession } from "../types.js";

/** conmon reads at most this much of one packet and drops the rest. */
const PACKET_BYTES = 32 * 1024;
/** Reading pauses above this for an exec; its conmon serves nobody else. */
const HIGH_WATER = 4 << 20;
/** An attach that lags this far behind is cut off: conmon would stall the container for it. */
const DROP_LIMIT = 64 << 20;

interface Chunk {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

/** What a session is opened on. */
export interface SessionOptions {
  readonly socket: PacketSocket;
  /** Folder of conmon's ctl fifo. */
  readonly folder: string;
  readonly exit: Promise<number | undefined>;
  /** `pause`: stop reading while the reader lags. `drop`: end the session when it lags too far. */
  readonly whenSlow: "pause" | "drop";
  /** Called once when the session is over. */
  readonly onClose: () => void;
}

/** Makes the session; output is read from the socket at once. */
export function openSession(options: SessionOptions): StdioSession {
  const { socket } = options;
  const queue: Chunk[] = [];
  let queued = 0;
  let ended = false;
  let paused = false;
  let overrun = false;
  let closed = false;
  let wake: (() => void) | undefined;
  let detached: (value: undefined) => void = () => undefined;
  const left = new Promise<undefined>((resolve) => {
    detached = resolve;
  });
  const notify = (): void => {
    wake?.();
    wake = undefined;
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    ended = true;
    socket.close();
    options.onClose();
    notify();
  };
  socket.onPacket((packet) => {
    if (packet.length < 2) return;
    queue.push({ stream: packet[0] === 3 ? "stderr" : "stdout", data: packet.subarray(1) });
    queued += packet.length;
    if (options.whenSlow === "pause" && queued > HIGH_WATER && !paused) {
      paused = true;
      socket.pause();
    } else if (options.whenSlow === "drop" && queued > DROP_LIMIT) {
      overrun = true;
      close();
    }
    notify();
  });
  socket.onEnd(() => {
    ended = true;
    notify();
  });

  async function* output(): AsyncGenerator<Chunk> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        queued -= chunk.data.length + 1;
        if (paused && queued < HIGH_WATER / 2) {
          paused = false;
          socket.resume();
        }
        yield chunk;
        continue;
      }
      if (overrun) {
        throw new TscError("TSC_ATTACH_TOO_SLOW", "output was not read fast enough, so the session was closed", {
          kind: "unavailable",
        });
      }
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  const exit = Promise.race([options.exit, left]);
  // A session whose exit nobody asks for must not crash the process.
  exit.catch(() => undefined);
  return {
    output: output(),
    async write(data) {
      for (let at = 0; at < data.length; at += PACKET_BYTES) {
        if (ended) return;
        try {
          await socket.write(data.subarray(at, at + PACKET_BYTES));
        } catch (error) {
          // The process closed its input or ended; like a pipe to `head`, no failure of ours.
          if (errnoOf(error) === "EPIPE" || errnoOf(error) === "ECONNRESET" || errnoOf(error) === "ENOTCONN") return;
          throw error;
        }
      }
    },
    async endInput() {
      if (!ended) socket.shutdownWrite();
    },
    resize: (rows, columns) => sendControl(options.folder, `1 ${rows} ${columns}\n`),
    exit,
    async detach() {
      detached(undefined);
      close();
    },
    async [Symbol.asyncDispose]() {
      detached(undefined);
      close();
    },
  };
}

/** Writes a line to conmon's control fifo; a conmon that is gone is no error. */
export async function sendControl(folder: string, line: string): Promise<void> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(join(folder, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENXIO" || errnoOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    await file.write(line);
  } finally {
    await file.close();
  }
}
