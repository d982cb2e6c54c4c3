/** Recording events, and the stream of them. */
import { nowNano, pointInTime } from "../../lib/timestamp.js";
import type { EventsApi } from "../api.js";
import { eventsAfter, insertEvent, lastEventSequence } from "../state/events.js";
import type { State } from "../state/index.js";
import type { EngineEvent } from "../types.js";
import { LogChanges } from "./log-changes.js";

const BATCH = 500;

/** Events as the engine itself has them. */
export interface Events extends EventsApi {
  /** Stores an event with the time now. Never throws for a full or locked database: an event is not worth a failed command. */
  emit(event: Omit<EngineEvent, "timeNano">): void;
}

/** What events are opened with. */
export interface EventsOptions {
  /** Path of the database file, whose write-ahead log is watched. */
  readonly database: string;
  readonly warn: (message: string) => void;
}

/** Events over an open state database. */
export function openEvents(state: State, options: EventsOptions): Events {
  let warned = false;
  return {
    emit(event) {
      try {
        insertEvent(state, { ...event, timeNano: nowNano().toString() });
      } catch (error) {
        if (warned) return;
        warned = true;
        options.warn(`events are not recorded: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    stream: (request = {}) => streamEvents(state, options.database, request),
  };
}

type StreamOptions = NonNullable<Parameters<EventsApi["stream"]>[0]>;

async function* streamEvents(state: State, database: string, options: StreamOptions): AsyncGenerator<EngineEvent> {
  const since = pointInTime("since", options.since);
  const until = pointInTime("until", options.until);
  const now = nowNano();
  const follow = options.follow ?? (until === undefined || until > now);
  let sequence = since === undefined ? lastEventSequence(state) : 0;
  if (since === undefined && options.follow === false) sequence = 0;

  const changes = follow ? new LogChanges(database, options.signal, until) : undefined;
  try {
    for (;;) {
      let batch = eventsAfter(state, sequence, BATCH);
      while (batch.length > 0) {
        for (const { sequence: at, ...event } of batch) {
          sequence = at;
          const time = BigInt(event.timeNano);
          if (until !== undefined && time > until) return;
          if (since !== undefined && time < since) continue;
          if (matchesLabels(event, options.labels)) yield event;
          if (options.signal?.aborted === true) return;
        }
        batch = eventsAfter(state, sequence, BATCH);
      }
      if (changes === undefined || !(await changes.next())) return;
    }
  } finally {
    changes?.close();
  }
}

/** True when the event carries every label asked for; an undefined value asks for presence only. */
function matchesLabels(event: EngineEvent, labels: Readonly<Record<string, string | undefined>> | undefined): boolean {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const actual = event.attributes[key];
    if (actual === undefined || (value !== undefined && actual !== value)) return false;
  }
  return true;
}
