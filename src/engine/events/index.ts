/**
 * Engine events: recording and streaming. Every command writes to the same table, so a follower in one
 * process sees what another one does; it is woken by inotify on SQLite's write-ahead log, not by polling.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { TscError } from "../../lib/errors.js";
import { nowNano, parsePointInTime } from "../../lib/timestamp.js";
import type { EventsApi } from "../api.js";
import { eventsAfter, insertEvent, lastEventSequence } from "../state/events.js";
import type { State } from "../state/index.js";
import type { EngineEvent } from "../types.js";

const BATCH = 500;
/** The log's pages are written just before the commit becomes visible; a second look after this covers the gap. */
const SECOND_LOOK_MS = 25;

export interface Events extends EventsApi {
  /** Stores an event with the time now. Never throws for a full or locked database: an event is not worth a failed command. */
  emit(event: Omit<EngineEvent, "timeNano">): void;
}

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

function pointInTime(option: string, text: string | undefined): bigint | undefined {
  if (text === undefined || text === "") return undefined;
  const nano = parsePointInTime(text);
  if (nano !== undefined) return nano;
  throw new TscError(
    "TSC_TIME_INVALID",
    `invalid value for "${option}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
    {
      kind: "invalid-input",
      hint: "write 2026-01-31T10:00:00Z, seconds since 1970, or a span such as 10m",
    },
  );
}

/** True when the event carries every label asked for; an undefined value asks for presence only. */
function matchesLabels(event: EngineEvent, labels: Readonly<Record<string, string | undefined>> | undefined): boolean {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const actual = event.attributes[key];
    if (actual === undefined || (value !== undefined && actual !== value)) return false;
  }
  return true;
}

/** Wakes a follower when the database may have changed, until a time or an abort. */
class LogChanges {
  readonly #watcher: FSWatcher;
  readonly #signal: AbortSignal | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #second: NodeJS.Timeout | undefined;
  #dirty = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(database: string, signal: AbortSignal | undefined, until: bigint | undefined) {
    const log = `${basename(database)}-wal`;
    this.#watcher = watch(dirname(database), (_kind, file) => {
      if (file !== null && file !== log) return;
      this.#mark();
      this.#second ??= setTimeout(() => {
        this.#second = undefined;
        this.#mark();
      }, SECOND_LOOK_MS);
    });
    this.#watcher.on("error", this.#end);
    this.#signal = signal;
    if (signal?.aborted === true) this.#closed = true;
    signal?.addEventListener("abort", this.#end);
    if (until !== undefined) {
      const left = Number((until - nowNano()) / 1_000_000n);
      // setTimeout overflows above 24.8 days; no command runs that long.
      this.#deadline = setTimeout(this.#end, Math.max(0, Math.min(left, 2_000_000_000)));
    }
  }

  readonly #end = (): void => {
    this.#closed = true;
    this.#wake?.();
  };

  #mark(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  /** True when it is worth looking again, false when following is over. */
  async next(): Promise<boolean> {
    if (!this.#dirty && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#dirty = false;
    return !this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#watcher.close();
    clearTimeout(this.#deadline);
    clearTimeout(this.#second);
    this.#signal?.removeEventListener("abort", this.#end);
  }
}
