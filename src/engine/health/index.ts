/**
 * The engine's side of supervision (native/supervisor.md): writes and removes watch files, starts the supervisor, reads
 * what it found out. Probes and restarts themselves are the supervisor's.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { rotationOf } from "../logs/options.js";
import { containerIdentity, containerLabels } from "../state/container-facts.js";
import type { ContainerRow } from "../state/containers.js";
import { insertEvent } from "../state/events.js";
import type { HealthLogEntry, HealthState } from "../types.js";

const MAX_HEALTH_BYTES = 256 * 1024;

/** One run of a container, and whether it is paused. */
export type WatchedRun = Pick<ContainerRow, "id" | "pid" | "pidStart" | "state">;

export interface WatchRequest {
  readonly id: string;
  readonly pid: number;
  readonly pidStart: string;
  readonly restartCount: number;
  /** argv of one probe. */
  readonly probe: readonly string[] | undefined;
  /** Where conmon takes the word to open its log anew. */
  readonly logControl: string;
}

/** True when something must watch the container after its start. */
export function needsSupervision(row: Pick<ContainerRow, "spec" | "record">): boolean {
  const policy = row.spec.restart?.policy ?? "no";
  if (row.record.healthcheck !== undefined || policy !== "no" || row.spec.autoRemove === true) return true;
  return rotationOf(row.spec.logging) !== undefined;
}

/** Writes the watch file of a running container and sees to it that a supervisor runs. */
export async function watchContainer(ctx: EngineContext, row: ContainerRow, request: WatchRequest): Promise<void> {
  const { restart } = row.spec;
  const health = row.record.healthcheck;
  const lines: [string, string | number | undefined][] = [
    ["exit_file", join(ctx.paths.exits, row.id)],
    ["restart", restart?.policy ?? "no"],
    ["max_retries", restart?.maxRetries],
    ["restart_count", request.restartCount],
  ];
  if (health !== undefined && request.probe !== undefined) {
    for (const arg of request.probe) lines.push(["health_arg", arg]);
    lines.push(
      ["health_interval_ms", health.intervalMs],
      ["health_timeout_ms", health.timeoutMs],
      ["health_retries", health.retries],
      ["health_start_period_ms", health.startPeriodMs],
      ["health_start_interval_ms", health.startIntervalMs],
    );
  }
  const rotation = rotationOf(row.spec.logging);
  if (rotation !== undefined) {
    lines.push(
      ["log_file", row.record.logPath],
      ["log_ctl", request.logControl],
      ["log_max_bytes", rotation.maxBytes],
      ["log_max_files", rotation.maxFiles],
      ["log_compress", rotation.compress ? 1 : 0],
    );
  }
  for (const arg of ctx.selfCommand ?? []) lines.push(["command_arg", arg]);
  const text = lines
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${encode(String(value))}\n`);
  mkdirSync(ctx.paths.supervise, { recursive: true, mode: 0o700 });
  const temporary = join(ctx.paths.supervise, `.${row.id}.${process.pid}`);
  await writeFile(temporary, [headOf({ ...request, state: row.state }), ...text].join(""), { mode: 0o600 });
  await rename(temporary, join(ctx.paths.supervise, row.id));
  await ensureSupervisor(ctx);
}

/** The first lines of a watch file: which run of the container it speaks of. */
function headOf({ pid, pidStart, state }: WatchedRun): string {
  return `pid ${pid}\npid_start ${pidStart}\npaused ${state === "paused" ? 1 : 0}\n`;
}

/** Everything outside printable ASCII, and `%` itself, as %XX per byte. */
function encode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** Ends the watch and forgets the health; missing is no error. */
export async function unwatchContainer(ctx: EngineContext, id: string): Promise<void> {
  await unlink(join(ctx.paths.supervise, id)).catch(ignoreMissing);
  await rm(join(ctx.paths.supervise, `${id}.health`), { force: true });
}

let starting: Promise<void> | undefined;

/** Starts the supervisor unless one holds its lock; it forks away at once, and a second one ends by itself. */
export async function ensureSupervisor(ctx: EngineContext): Promise<void> {
  // One attempt at a time: twenty containers starting side by side need one supervisor.
  starting ??= startSupervisor(ctx).finally(() => {
    starting = undefined;
  });
  await starting;
}

/** Whether a supervisor of this run root lives, from its record: cheaper than its lock, and nobody is kept from taking that. */
export function isSupervised(ctx: Pick<EngineContext, "paths" | "kernel">): boolean {
  return ctx.kernel.recordedProcess(join(ctx.paths.supervise, ".lock")) !== undefined;
}

async function startSupervisor(ctx: EngineContext): Promise<void> {
  const probe = await ctx.kernel.lockFile(join(ctx.paths.supervise, ".lock"), { wait: false });
  if (probe === undefined) return;
  probe.release();
  const child = ctx.kernel.spawn(ctx.kernel.helperPath("tsc-supd"), [ctx.paths.supervise], {
    stdio: "ignore",
    detached: true,
    cwd: "/",
    env: { ...lasting(ctx.env), TSCOMPOSE_ROOT: ctx.paths.root, TSCOMPOSE_RUN_ROOT: ctx.paths.runRoot },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  }).catch((cause: unknown) => {
    throw new TscError("TSC_SUPERVISOR", "the supervisor (tsc-supd) cannot be started: no health checks, no restarts", {
      cause,
      hint: "npm run setup builds the native programs",
    });
  });
  if (code !== 0) throw new TscError("TSC_SUPERVISOR", `the supervisor (tsc-supd) ended with exit code ${code}`);
}

/** Of a command's environment what a restart reads: the supervisor outlives the command, and a shell's tokens are not for that long. */
function lasting(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names =
    /^(?:PATH|HOME|LANG|LC_\w+|LD_\w+|CNI_PATH|DOCKER_CONFIG|REGISTRY_AUTH_FILE|(?:CONTAINERS|XDG|TSCOMPOSE)_\w+)$/;
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && names.test(entry[0])),
  );
}

export interface HealthFacts {
  readonly state: HealthState;
  readonly failingStreak: number;
  readonly log: readonly HealthLogEntry[];
}

const NO_HEALTH: HealthFacts = { state: "none", failingStreak: 0, log: [] };

/** What the supervisor last wrote about a container that has a health check; `starting` before the first probe. */
export function readHealth(ctx: Pick<EngineContext, "paths">, row: Pick<ContainerRow, "id" | "record">): HealthFacts {
  if (row.record.healthcheck === undefined) return NO_HEALTH;
  const starting: HealthFacts = { state: "starting", failingStreak: 0, log: [] };
  let text: string;
  try {
    text = readFileSync(join(ctx.paths.supervise, `${row.id}.health`), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return starting;
    throw error;
  }
  if (text.length > MAX_HEALTH_BYTES) return starting;
  try {
    const value = JSON.parse(text) as {
      Status?: string;
      FailingStreak?: number;
      Log?: { Start?: string; End?: string; ExitCode?: number; Output?: string }[];
    };
    const state = value.Status === "healthy" || value.Status === "unhealthy" ? value.Status : "starting";
    const log = (value.Log ?? []).map((entry) => ({
      start: String(entry.Start ?? ""),
      end: String(entry.End ?? ""),
      exitCode: Number(entry.ExitCode ?? 0),
      output: printable(String(entry.Output ?? ""), 4096),
    }));
    return { state, failingStreak: Number(value.FailingStreak ?? 0), log };
  } catch (error) {
    if (error instanceof SyntaxError) return starting;
    throw error;
  }
}

/** Moves health changes that the supervisor noted into the events table. */
export async function importHealthEvents(ctx: EngineContext): Promise<void> {
  const path = join(ctx.paths.supervise, "events.log");
  if (!existsSync(path)) return;
  const taken = `${path}.${process.pid}`;
  try {
    renameSync(path, taken);
  } catch (error) {
    // another command took it
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  const text = readFileSync(taken, "utf8");
  rmSync(taken, { force: true });
  ctx.state.transaction(() => {
    for (const line of text.split("\n")) {
      const [timeNano = "", id = "", action = "", status = ""] = line.split(" ");
      if (!/^\d+$/.test(timeNano) || action !== "health_status") continue;
      insertEvent(ctx.state, {
        type: "container",
        action: `health_status: ${status}`,
        id,
        name: containerIdentity(ctx.state, id)?.name ?? "",
        attributes: containerLabels(ctx.state, id),
        timeNano,
      });
    }
  });
}

/** True when there is something to supervise: a running container, or one whose restart is due. */
export function hasWatches(ctx: Pick<EngineContext, "paths">): boolean {
  try {
    return readdirSync(ctx.paths.supervise).some((name) => /^[0-9a-f]{64}$/.test(name));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** True when the engine's watch file for a container is there. */
export function isWatched(ctx: Pick<EngineContext, "paths">, id: string): boolean {
  return watchHead(ctx, id) !== "";
}

/** True when a container's watch file is there and speaks of this run; one of an earlier run watches nobody. */
export function isWatchedRun(ctx: Pick<EngineContext, "paths">, run: WatchedRun): boolean {
  return watchHead(ctx, run.id).startsWith(headOf(run));
}

/** Enough of a watch file to hold its head; empty when there is none. */
function watchHead(ctx: Pick<EngineContext, "paths">, id: string): string {
  try {
    const file = openSync(join(ctx.paths.supervise, id), "r");
    try {
      const bytes = Buffer.alloc(128);
      return bytes.toString("latin1", 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== "ENOENT") throw error;
}
