/** Watch files: what the supervisor is told of one run of a container, and whether it is told. */
import { closeSync, mkdirSync, openSync, readdirSync, readSync } from "node:fs";
import { rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, ignoreMissing } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { rotationOf } from "../logs/options.js";
import type { ContainerRow } from "../state/containers.js";
import { ensureSupervisor } from "./supervisor.js";

/** One run of a container, and whether it is paused. */
export type WatchedRun = Pick<ContainerRow, "id" | "pid" | "pidStart" | "state">;

/** What a watch file says besides what the container's row has. */
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
