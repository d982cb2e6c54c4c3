/**
 * The program on a real process: the only module that reads argv, the environment or the standard streams, or ends the process.
 */
import { statSync } from "node:fs";
import { EXIT_ERROR, EXIT_OK } from "./exit-codes.js";
import { outputStream } from "./output-stream.js";
import { runProgram } from "./program.js";
import type { PrintedStream } from "./render/printed.js";

const HANG_UP_MS = 10_000;

export { runProgram };

/** The folder as the person named it: `PWD` while it leads here, links and all, as `pwd -L` and Go's `os.Getwd` say it. */
function workingFolder(): string {
  const physical = process.cwd();
  const named = process.env["PWD"];
  if (named === undefined || named === physical || !named.startsWith("/")) return physical;
  try {
    const [here, there] = [statSync(physical, { bigint: true }), statSync(named, { bigint: true })];
    return there.dev === here.dev && there.ino === here.ino ? named : physical;
  } catch {
    return physical;
  }
}

/** What was printed did not arrive: said on the other stream, and the command has failed. */
async function tellLost(stderr: NodeJS.WriteStream, cause: NodeJS.ErrnoException): Promise<void> {
  const [{ renderError }, { TscError }] = await Promise.all([import("./render/errors.js"), import("../lib/errors.js")]);
  const error = new TscError("TSC_OUTPUT", `what the command printed is lost: standard output: ${cause.message}`, {
    kind: "unavailable",
    hint: "send it elsewhere, or make room there",
  });
  const said: PrintedStream = stderr;
  said.write(renderError(error, { verbose: false, color: false }));
  process.exit(EXIT_ERROR);
}

/** Runs the command of `process.argv` and ends the process with its exit code. */
export async function main(): Promise<void> {
  const stdout = outputStream(1, () => process.stdout);
  const stderr = outputStream(2, () => process.stderr);
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // the terminal is gone: SIGHUP comes as well, and what is under way may end in order
      if (error.code === "EIO") setTimeout(() => process.exit(EXIT_ERROR), HANG_UP_MS).unref();
      // the reader is gone (`tscompose logs | head`): there is nobody left to tell
      else if (error.code === "EPIPE" || stream === stderr) process.exit(error.code === "EPIPE" ? EXIT_OK : EXIT_ERROR);
      else void tellLost(stderr, error);
    });
  }
  // Node resets what nohup asked for
  const keepsRunning = process.env["TSCOMPOSE_NOHUP"] === "1";
  if (keepsRunning) process.on("SIGHUP", () => {});
  const code = await runProgram(process.argv.slice(2), {
    env: process.env,
    cwd: workingFolder(),
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    onSignal(name, listener) {
      if (keepsRunning && name === "SIGHUP") return () => undefined;
      process.on(name, listener);
      return () => process.off(name, listener);
    },
    exit: (status) => process.exit(status),
  });
  // after a failed write the handler above has the first word
  await new Promise<void>((resolve) => stdout.write("", () => setImmediate(resolve)));
  process.exit(code);
}
