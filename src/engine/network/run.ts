/** Runs one short program to its end with bounded output and time. Owns no policy: callers judge the exit code. */
import type { Kernel } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";

export interface RunOptions {
  readonly input?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const STDOUT_LIMIT = 4 * 1024 * 1024;
const STDERR_LIMIT = 64 * 1024;

/**
 * Resolves when the program has ended and its output is read; `code` is 128+n for a signal. `TSC_PROGRAM_TIMEOUT` after
 * `timeoutMs` (default 30 s; the program is killed), `TSC_PROGRAM_OUTPUT` for more than 4 MiB of output.
 */
export function run(kernel: Kernel, argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("no program");
  return new Promise((resolve, reject) => {
    const child = kernel.spawn(program, args, { env: { ...options.env }, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let outBytes = 0;
    let errBytes = 0;
    const fail = (error: Error): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
      reject(error);
    };
    const timeoutMs = options.timeoutMs ?? 30_000;
    const timer = setTimeout(
      () => fail(new TscError("TSC_PROGRAM_TIMEOUT", `${program} did not end in ${timeoutMs} ms`, { kind: "timeout" })),
      timeoutMs,
    );
    child.stdout?.on("data", (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > STDOUT_LIMIT) fail(new TscError("TSC_PROGRAM_OUTPUT", `${program} printed more than 4 MiB`));
      else out.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      errBytes += chunk.length;
      if (errBytes <= STDERR_LIMIT) err.push(chunk);
    });
    // A program that does not read its input closes the pipe: its exit code tells the story.
    child.stdin?.on("error", () => undefined);
    child.on("error", fail);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? 128 + (signal === "SIGKILL" ? 9 : 1),
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8"),
      });
    });
    child.stdin?.end(options.input ?? "");
  });
}
