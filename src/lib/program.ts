/**
 * Ordinary programs of the machine, run for the person who calls (git, providers, credential helpers), by execa. It is loaded when the first
 * one is run: commands that run none never pay for it. Programs of ours and what they need exactly go through `Kernel`.
 */
import { withCallerUmask } from "./caller.js";

type Env = Readonly<Record<string, string | undefined>>;

/** When a program is ended that does not end by itself: by a time, or at least by whoever calls. */
type Patience =
  | { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }
  | { readonly timeoutMs?: undefined; readonly signal: AbortSignal | undefined };

/** Hears what a program prints. */
export type OnOutput = (stream: "stdout" | "stderr", data: Buffer) => void;

/** What it may print: so many bytes on each stream, else it is ended; or whatever `onOutput` takes. */
type Output =
  | { readonly maxOutput: number; readonly onOutput?: undefined }
  | {
      readonly maxOutput?: number;
      /** Hears what it prints, and nothing of it is kept. */
      readonly onOutput: OnOutput;
    };

/** How an ordinary program is run. */
export type ProgramOptions = Patience &
  Output & {
    /** The whole environment; its PATH says where the program is looked for. */
    readonly env: Env;
    readonly cwd?: string;
    /** Written to its standard input, which is closed behind it; without any it reads from nothing. */
    readonly input?: string;
    /** Files it makes get the modes that the calling shell gives: the program's own umask, not ours. */
    readonly callerUmask?: Env;
  };

/** How it ended, and what it wrote. */
export interface ProgramResult {
  /** Undefined when it did not start, or was ended by a signal. */
  readonly exitCode: number | undefined;
  /** Why it did not start (`ENOENT`). */
  readonly errno: string | undefined;
  /** Why it was ended: `timeoutMs`, `maxOutput` or `signal`. */
  readonly stopped: "time" | "output" | "cancelled" | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program has after SIGTERM before SIGKILL. */
const GRACE_MS = 2_000;

/** Runs a program to its end. How it ends is the answer, whatever it is: nothing is thrown for it. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { execa } = await import("execa");
  const { onOutput, signal, maxOutput = Number.POSITIVE_INFINITY } = options;
  const start = () =>
    execa(program, args, {
      env: Object.fromEntries(Object.entries(options.env).filter(([, value]) => value !== undefined)),
      extendEnv: false,
      reject: false,
      // whoever ends this command ends its programs as a shell would: by the terminal, or not at all
      cleanup: false,
      buffer: false,
      forceKillAfterDelay: GRACE_MS,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  const running = options.callerUmask === undefined ? start() : withCallerUmask(options.callerUmask, start);
  let stopped: ProgramResult["stopped"];
  function stop(why: NonNullable<ProgramResult["stopped"]>): void {
    if (stopped !== undefined) return;
    stopped = why;
    running.kill("SIGTERM");
    // its own children may hold the pipes for as long as they like
    running.stdout.destroy();
    running.stderr.destroy();
  }
  const printed: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  for (const stream of ["stdout", "stderr"] as const) {
    let size = 0;
    running[stream].on("data", (data: Buffer) => {
      size += data.length;
      if (size > maxOutput) stop("output");
      else if (onOutput !== undefined) onOutput(stream, data);
      else printed[stream].push(data);
    });
  }
  const cancel = (): void => stop("cancelled");
  if (signal?.aborted === true) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(stop, options.timeoutMs, "time");
  try {
    const { exitCode, code } = await running;
    return {
      exitCode: stopped === undefined ? exitCode : undefined,
      errno: code !== undefined && stopped === undefined && /^E[A-Z]+$/.test(code) ? code : undefined,
      stopped,
      stdout: Buffer.concat(printed.stdout).toString("utf8"),
      stderr: Buffer.concat(printed.stderr).toString("utf8"),
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}
