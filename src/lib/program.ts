/**
 * Ordinary programs of the machine, run for the person who calls (git, providers, credential helpers), by execa. It is loaded when the first
 * one is run: commands that run none never pay for it. Programs of ours and what they need exactly go through `Kernel`.
 */
import { withCallerUmask } from "./caller.js";

type Env = Readonly<Record<string, string | undefined>>;

/** How an ordinary program is run. */
export interface ProgramOptions {
  /** The whole environment; its PATH says where the program is looked for. */
  readonly env: Env;
  readonly cwd?: string;
  /** Written to its standard input, which is closed behind it; without any it reads from nothing. */
  readonly input?: string;
  /** It is ended when it has not ended by itself. */
  readonly timeoutMs?: number;
  /** It is ended when it has printed more; bytes for each stream. */
  readonly maxOutput?: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears what it prints, and nothing of it is kept. */
  readonly onOutput?: (stream: "stdout" | "stderr", data: Buffer) => void;
  /** Files it makes get the modes that the calling shell gives: the program's own umask, not ours. */
  readonly callerUmask?: Env;
}

/** How it ended, and what it wrote. */
export interface ProgramResult {
  /** Undefined when it did not start, or was ended by a signal. */
  readonly exitCode: number | undefined;
  /** Why it did not start (`ENOENT`). */
  readonly errno: string | undefined;
  readonly isCancelled: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. How it ends is the answer, whatever it is: nothing is thrown for it. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { execa } = await import("execa");
  const { onOutput, signal } = options;
  const start = () =>
    execa(program, args, {
      env: Object.fromEntries(Object.entries(options.env).filter(([, value]) => value !== undefined)),
      extendEnv: false,
      reject: false,
      // whoever ends this command ends its programs as a shell would: by the terminal, or not at all
      cleanup: false,
      stripFinalNewline: false,
      buffer: onOutput === undefined,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.maxOutput === undefined ? {} : { maxBuffer: options.maxOutput }),
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
  const running = options.callerUmask === undefined ? start() : withCallerUmask(options.callerUmask, start);
  if (onOutput !== undefined) {
    running.stdout?.on("data", (data: Buffer) => onOutput("stdout", data));
    running.stderr?.on("data", (data: Buffer) => onOutput("stderr", data));
  }
  const { exitCode, isCanceled, isMaxBuffer, stdout, stderr, code } = await running;
  return {
    exitCode: isMaxBuffer ? undefined : exitCode,
    errno: code !== undefined && /^E[A-Z]+$/.test(code) ? code : undefined,
    isCancelled: isCanceled,
    stdout: stdout ?? "",
    stderr: stderr ?? "",
  };
}
