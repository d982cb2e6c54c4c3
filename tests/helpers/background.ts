/** A `tscompose` that stays: its output as it grows, its end, and its interrupt. Ends with the test, whatever happens. */
import { spawn } from "node:child_process";
import { type TestHost, TSCOMPOSE, testUser } from "./host.js";

export interface Background extends AsyncDisposable {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Both, in the order in which they came. */
  readonly output: () => string;
  /** Undefined while it runs. */
  readonly code: () => number | undefined;
  /** The exit code. */
  readonly ended: Promise<number>;
  /** SIGINT, then its exit code. */
  interrupt(): Promise<number>;
}

export function inBackground(
  host: TestHost,
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Background {
  const user = host.mode === "user" ? testUser() : undefined;
  const child = spawn(TSCOMPOSE, args, {
    cwd: folder,
    env: { ...host.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const text = { out: "", err: "", all: "" };
  child.stdout.on("data", (data: Buffer) => {
    text.out += data;
    text.all += data;
  });
  child.stderr.on("data", (data: Buffer) => {
    text.err += data;
    text.all += data;
  });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 255)));
  const code = () => child.exitCode ?? undefined;
  return {
    stdout: () => text.out,
    stderr: () => text.err,
    output: () => text.all,
    code,
    ended,
    async interrupt() {
      child.kill("SIGINT");
      return await ended;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
