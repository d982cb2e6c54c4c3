/** Kill points: a command dies before the n-th change it makes to the system, counted by a preloaded library (killpoint.c). */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, type TestHost } from "../helpers/host.js";
import { Doomed, type How, statOf } from "./together.js";

let library: string | undefined;

/** Compiles it once per test file; its path. */
function preload(): string {
  if (library !== undefined) return library;
  mkdirSync(CACHE, { recursive: true });
  const path = join(CACHE, "killpoint.so");
  const source = join(import.meta.dirname, "killpoint.c");
  execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", `${path}.new`, source, "-ldl"]);
  renameSync(`${path}.new`, path);
  library = path;
  return path;
}

export interface Ended {
  /** Changes it made, or had begun when it died. */
  readonly changes: number;
  readonly killed: boolean;
  readonly code: number | null;
  /** What it said last. */
  readonly stderr: string;
}

/** Runs a command that dies before its `at`-th change (0 = never): alone, with its process group, or with what it has started. */
export async function runWithKillpoint(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  at: number,
  options: {
    readonly how?: How | "group";
    readonly env?: Readonly<Record<string, string>>;
    readonly trace?: string;
  } = {},
): Promise<Ended> {
  const counter = join(host.folder, "killpoint");
  writeFileSync(counter, Buffer.alloc(8));
  chmodSync(counter, 0o666);
  const { how = "alone" } = options;
  const isTogether = how === "children" || how === "cgroup";
  const command = new Doomed(host, cwd, args, {
    ...options.env,
    LD_PRELOAD: preload(),
    KILLPOINT_COUNTER: counter,
    KILLPOINT_AT: String(at),
    ...(how === "group" ? { KILLPOINT_GROUP: "1" } : isTogether ? { KILLPOINT_STOP: "1" } : {}),
    ...(options.trace === undefined ? {} : { KILLPOINT_TRACE: options.trace }),
  });
  let stderr = "";
  command.child.stderr?.on("data", (data: Buffer) => {
    stderr = `${stderr}${data}`.slice(-2000);
  });
  const killed = isTogether && at > 0 && (await stops(command)) && (await command.kill(how));
  const { code, signal } = await command.end();
  return {
    changes: Number(readFileSync(counter).readBigUInt64LE()),
    killed: killed || signal === "SIGKILL" || code === 137,
    code,
    stderr,
  };
}

/** Waits until a process of the command has stopped at its point; false when it ends before. */
async function stops(command: Doomed): Promise<boolean> {
  while (command.isRunning) {
    if (command.tree().some((pid) => statOf(pid)?.state === "T")) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

/** `count` of the points 1 … `total`, evenly spread and always the same; all of them when there are no more. */
export function spread(total: number, count: number): number[] {
  if (count >= total) return Array.from({ length: total }, (_, index) => index + 1);
  const points = Array.from({ length: count }, (_, index) => 1 + Math.floor(((index + 0.5) * total) / count));
  return [...new Set(points)];
}
