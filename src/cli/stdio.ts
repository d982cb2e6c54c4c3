/**
 * Joins a person's terminal or pipes to a container's process: raw mode, size, detach keys, back-pressure both ways. Whatever
 * happens the terminal is given back as it was.
 */
import { once } from "node:events";
import type { StdioSession } from "../engine/types.js";
import type { CliContext } from "./context.js";
import { DETACHED } from "./render/printed.js";
import { usage } from "./usage.js";

/** How a person's terminal or pipes are joined to a process. */
export interface SessionOptions {
  /** The process has a terminal: ours is put into raw mode when it is one. */
  readonly tty: boolean;
  /** Feed our standard input. */
  readonly stdin: boolean;
  /** docker's notation; default `ctrl-p,ctrl-q`. Empty switches detaching off. Only with a terminal. */
  readonly detachKeys?: string | undefined;
  /** Called for an interrupt that did not come through a raw terminal. */
  readonly onSignal?: (name: NodeJS.Signals, count: number) => void;
}

const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/** Runs until the process ends or the person detaches (then undefined). */
export async function joinSession(
  ctx: CliContext,
  session: StdioSession,
  options: SessionOptions,
): Promise<number | undefined> {
  const keys = parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS);
  const isRaw = options.tty && options.stdin && ctx.isTty.stdin;
  let hasDetached = false;
  const release: (() => void)[] = [];
  try {
    if (isRaw) {
      ctx.stdin.setRawMode(true);
      release.push(() => ctx.stdin.setRawMode(false));
    }
    if (options.tty && ctx.isTty.stdout) {
      const resize = () => {
        // a process that has just ended cannot be resized, and need not be
        session.resize(ctx.stdout.rows ?? 24, ctx.stdout.columns ?? 80).catch(() => undefined);
      };
      resize();
      ctx.stdout.on("resize", resize);
      release.push(() => ctx.stdout.off("resize", resize));
    }
    if (options.onSignal !== undefined) release.push(ctx.onInterrupt(options.onSignal));
    if (options.stdin) {
      const input = pumpInput(ctx, session, isRaw ? keys : [], () => {
        hasDetached = true;
        return session.detach();
      });
      release.push(input.stop);
    }
    await pumpOutput(ctx, session);
    const code = await session.exit;
    if (!hasDetached) return code;
    // docker's words; the cursor stands behind what the process wrote last
    ctx.note(DETACHED);
    return undefined;
  } finally {
    for (const undo of release.toReversed()) undo();
  }
}

async function pumpOutput(ctx: CliContext, session: StdioSession): Promise<void> {
  for await (const { stream, data } of session.output) {
    const target = stream === "stderr" ? ctx.stderr : ctx.stdout;
    if (!target.write(data)) await once(target, "drain");
  }
}

/** Reads standard input only as fast as the process takes it. */
function pumpInput(
  ctx: CliContext,
  session: StdioSession,
  keys: readonly number[],
  detach: () => Promise<void>,
): { readonly stop: () => void } {
  const { stdin } = ctx;
  const scan = detachScanner(keys);
  let isOver = false;
  // The stream may tell its end, or another chunk, while the last one is still being taken.
  let written: Promise<unknown> = Promise.resolve();
  const stop = () => {
    isOver = true;
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    stdin.pause();
  };
  const onData = (chunk: Buffer) => {
    const { forward, isDetach } = scan(chunk);
    stdin.pause();
    written = written.then(async () => {
      if (forward.length > 0) await session.write(forward);
      if (isDetach) {
        stop();
        await detach();
      } else if (!isOver) stdin.resume();
    });
    written = written.catch(stop);
  };
  const onEnd = () => {
    stop();
    written.then(() => session.endInput()).catch(() => undefined);
  };
  stdin.on("data", onData);
  stdin.on("end", onEnd);
  stdin.resume();
  return { stop };
}

/** Bytes of a detach sequence such as `ctrl-p,ctrl-q` or `a,ctrl-@`. `TSC_USAGE` for anything else. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(",").map((key) => {
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key);
    if (control !== null) return (control[1] ?? "").toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw usage(`invalid detach keys "${text}": unknown key "${key}"`);
  });
}

/** Finds the sequence in a stream of chunks; bytes that may begin it are held back until it is certain. */
export function detachScanner(
  keys: readonly number[],
): (chunk: Uint8Array) => { readonly forward: Uint8Array; readonly isDetach: boolean } {
  let matched = 0;
  return (chunk) => {
    if (keys.length === 0) return { forward: chunk, isDetach: false };
    const forward: number[] = [];
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched++;
        if (matched === keys.length) return { forward: Uint8Array.from(forward), isDetach: true };
        continue;
      }
      // what was held back was typed after all; this byte may start the sequence anew
      forward.push(...keys.slice(0, matched));
      matched = byte === keys[0] ? 1 : 0;
      if (matched === 0) forward.push(byte);
    }
    return { forward: Uint8Array.from(forward), isDetach: false };
  };
}
