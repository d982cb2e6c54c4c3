/** What the supervisor found out about health. */
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { containerIdentity, containerLabels } from "../state/container-facts.js";
import type { ContainerRow } from "../state/containers.js";
import { insertEvent } from "../state/events.js";
import type { HealthLogEntry, HealthState } from "../types.js";

const MAX_HEALTH_BYTES = 256 * 1024;

/** What is known about a container's health. */
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
