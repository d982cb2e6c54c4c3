/** Rows of the `events` table. Keeps a bounded history; knows nothing of who listens. */
import type { EngineEvent } from "../types.js";
import type { State } from "./index.js";

/** Events kept; older ones are dropped as new ones come. */
export const EVENT_HISTORY = 10_000;

/** An event with its place in the order of all. */
export interface StoredEvent extends EngineEvent {
  /** Grows with every event; never reused. */
  readonly sequence: number;
}

interface EventRow {
  readonly id: number;
  readonly time_nano: string;
  readonly type: string;
  readonly action: string;
  readonly subject_id: string;
  readonly name: string;
  readonly attributes: string;
}

/** Appends one event; its sequence number. */
export function insertEvent(state: State, event: EngineEvent): number {
  const row = state.get<{ id: number }>(
    "INSERT INTO events(time_nano, type, action, subject_id, name, attributes) VALUES(?,?,?,?,?,?) RETURNING id",
    event.timeNano,
    event.type,
    event.action,
    event.id,
    event.name,
    JSON.stringify(event.attributes),
  );
  const sequence = row?.id ?? 0;
  if (sequence % 500 === 0) state.run("DELETE FROM events WHERE id <= ?", sequence - EVENT_HISTORY);
  return sequence;
}

/** Up to `limit` events after a sequence number, oldest first. */
export function eventsAfter(state: State, sequence: number, limit: number): StoredEvent[] {
  return state.all<EventRow>("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", sequence, limit).map((row) => ({
    sequence: row.id,
    type: row.type as EngineEvent["type"],
    action: row.action,
    id: row.subject_id,
    name: row.name,
    attributes: JSON.parse(row.attributes) as Record<string, string>,
    timeNano: row.time_nano,
  }));
}

/** The exit code of a container's latest end; undefined when no such event is kept. */
export function lastExitCode(state: State, id: string): number | undefined {
  const row = state.get<{ attributes: string }>(
    "SELECT attributes FROM events WHERE subject_id = ? AND action = 'die' ORDER BY id DESC LIMIT 1",
    id,
  );
  const { exitCode } = JSON.parse(row?.attributes ?? "{}") as { exitCode?: string };
  return exitCode === undefined ? undefined : Number(exitCode);
}

/** Sequence number of the newest event; 0 when there is none. */
export function lastEventSequence(state: State): number {
  return state.get<{ last: number | null }>("SELECT max(id) AS last FROM events")?.last ?? 0;
}
