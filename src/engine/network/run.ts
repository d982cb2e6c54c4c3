/** Runs one short program to its end with bounded output and time. Owns no policy: callers judge the exit code. */
import type { Kernel } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";

/** `env` is all of the program's environment, `input` its standard input, empty by default. */
export interface RunOptions {
  readonly input?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}
/** Both streams as text; a `code` other than 0 is for the caller to judge. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Resolves when the program has ended; `code` is 128+n for a signal. `TSC_PROGRAM_TIMEOUT` after `timeoutMs` (default 30 s; the program is
 * killed), `TSC_PROGRAM_OUTPUT` for more than 4 MiB of output.
 */
export async function run(kernel: Kernel, argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("no program");
  const { env, input = "", timeoutMs = 30_000 } = options;
  const result = await kernel.run(program, args, { env, input, timeoutMs });
  if (result.timedOut)
    throw new TscError("TSC_PROGRAM_TIMEOUT", `${program} did not end in ${timeoutMs} ms`, { kind: "timeout" });
  if (result.overflow) throw new TscError("TSC_PROGRAM_OUTPUT", `${program} printed more than 4 MiB`);
  return result;
}
