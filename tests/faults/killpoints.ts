/** Kill points: a command dies before the n-th change it makes to the system, counted by a preloaded library (killpoint.c). */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";

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

/** Runs a command that dies before its `at`-th change (0 = never), alone or with its whole process group. */
export async function runWithKillpoint(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  at: number,
  options: { readonly group?: boolean; readonly env?: Readonly<Record<string, string>>; readonly trace?: string } = {},
): Promise<Ended> {
  const counter = join(host.folder, "killpoint");
  writeFileSync(counter, Buffer.alloc(8));
  chmodSync(counter, 0o666);
  const user = host.mode === "user" ? testUser() : undefined;
  const child = spawn(TSCOMPOSE, [...args], {
    cwd,
    env: {
      ...host.env,
      ...options.env,
      LD_PRELOAD: preload(),
      KILLPOINT_COUNTER: counter,
      KILLPOINT_AT: String(at),
      ...(options.group === true ? { KILLPOINT_GROUP: "1" } : {}),
      ...(options.trace === undefined ? {} : { KILLPOINT_TRACE: options.trace }),
    },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => {
    stderr = `${stderr}${data}`.slice(-2000);
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  child.stderr.destroy();
  return {
    changes: Number(readFileSync(counter).readBigUInt64LE()),
    killed: signal === "SIGKILL" || code === 137,
    code,
    stderr,
  };
}

/** `count` of the points 1 … `total`, evenly spread and always the same; all of them when there are no more. */
export function spread(total: number, count: number): number[] {
  if (count >= total) return Array.from({ length: total }, (_, index) => index + 1);
  const points = Array.from({ length: count }, (_, index) => 1 + Math.floor(((index + 0.5) * total) / count));
  return [...new Set(points)];
}
