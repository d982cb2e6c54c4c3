/** Rows of `build_steps`: what a build step gave, by its cache key. The layer itself may have been removed since. */
import type { State } from "./index.js";

/** The result of one step. A step without `chainId` changed the configuration only. */
export interface StepRecord {
  readonly createdAt: string;
  /** When it was made, milliseconds since the epoch; `createdAt` may be a chosen time. */
  readonly ranAt?: number;
  readonly diffId?: string;
  readonly chainId?: string;
  readonly sizeBytes?: number;
}

/** The record under a key, marked as used now. */
export function getStep(state: State, key: string): StepRecord | undefined {
  const row = state.get<{ record: string }>("SELECT record FROM build_steps WHERE key = ?", key);
  if (row === undefined) return undefined;
  state.run("UPDATE build_steps SET used_at = ? WHERE key = ?", new Date().toISOString(), key);
  return JSON.parse(row.record) as StepRecord;
}

/** Stores or replaces a record. */
export function putStep(state: State, key: string, record: StepRecord): void {
  state.run(
    "INSERT INTO build_steps(key, record, used_at) VALUES(?,?,?) ON CONFLICT(key) DO UPDATE SET record = excluded.record, used_at = excluded.used_at",
    key,
    JSON.stringify(record),
    new Date().toISOString(),
  );
}

/** Forgets a record. */
export function deleteStep(state: State, key: string): void {
  state.run("DELETE FROM build_steps WHERE key = ?", key);
}

/** Every record, least recently used first. */
export function listSteps(state: State): { key: string; record: StepRecord; usedAt: string }[] {
  return state
    .all<{ key: string; record: string; used_at: string }>(
      "SELECT key, record, used_at FROM build_steps ORDER BY used_at",
    )
    .map((row) => ({ key: row.key, record: JSON.parse(row.record) as StepRecord, usedAt: row.used_at }));
}
