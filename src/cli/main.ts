/**
 * The entry of the program, and the only module that reads argv, the environment or the standard streams, or ends the process. Kept tiny:
 * everything else is loaded after the compile cache is on.
 */
import { enableCompileCache } from "node:module";

const home = process.env["XDG_CACHE_HOME"] || (process.env["HOME"] && `${process.env["HOME"]}/.cache`);
// never the default below /tmp: another user could have made that folder first
if (home?.startsWith("/")) enableCompileCache(`${home}/tscompose/compile-cache`);

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // the reader is gone (`tscompose logs | head`): there is nobody left to tell
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
}

const { runProgram } = await import("./program.js");
const code = await runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal(name, listener) {
    process.on(name, listener);
    return () => process.off(name, listener);
  },
  exit: (status) => process.exit(status),
});
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit(code);
