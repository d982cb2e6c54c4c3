/**
 * Reads a container's k8s-file log: last lines without reading the whole file, a span of time, and
 * following across rotation.
 */
import { parseRfc3339Nano, pointInTime } from "../../lib/timestamp.js";
import type { LogLine, LogOptions } from "../types.js";
import { FileChanges } from "./changes.js";
import { LineJoiner } from "./format.js";
import { fromTime, lastLines } from "./history.js";
import { linesOf } from "./lines.js";
import { type Hold, isOver, openNext, openParts, type Part } from "./parts.js";

/** While following, an unfinished line (a prompt) is shown after this long without more of it. */
const PARTIAL_FLUSH_MS = 100;

/** What a reader of a log is given besides the person's options. */
export interface ReadLogOptions extends LogOptions {
  /** Following ends, after what is written was read, once this resolves (the container ended and its log is complete). Never rejects. */
  readonly finished?: Promise<unknown>;
  /** Keeps what is not read yet from being taken away while following. */
  readonly hold?: Hold;
  /** Called while following when that many files had gone before they were read. */
  readonly onLost?: (files: number) => void;
}

/**
 * The lines of a log, oldest first. `since` / `until` take what docker takes. A missing log has no lines (followed, it is
 * waited for). A line with `partial` continues in the next line of the same stream. `TSC_TIME_INVALID` for a bad time.
 */
export async function* readLog(path: string, options: ReadLogOptions = {}): AsyncGenerator<LogLine> {
  const since = pointInTime("since", options.since);
  const until = pointInTime("until", options.until);
  const isWanted = (line: LogLine): boolean => since === undefined || (parseRfc3339Nano(line.time) ?? 0n) >= since;
  const isPast = (line: LogLine): boolean => until !== undefined && (parseRfc3339Nano(line.time) ?? 0n) > until;

  const joiner = new LineJoiner();
  const { hold } = options;
  // Opened before the old files are read, so that nothing falls between history and following.
  using changes = options.follow === true ? new FileChanges(path, options) : undefined;
  const parts = await openParts(path, changes === undefined ? undefined : hold);
  let current = parts.at(-1);
  try {
    let position = 0;
    const window: LogLine[] = [];
    const limit = options.tail === undefined || options.tail < 0 ? undefined : options.tail;
    for (const { part, offset } of limit === undefined ? fromTime(parts, since) : await lastLines(parts, limit)) {
      for await (const lines of linesOf(part, offset, part.end)) {
        for (const { line, next } of lines) {
          if (part === current) position = next;
          for (const whole of joiner.feed(line)) {
            if (isPast(whole) || !isWanted(whole)) continue;
            if (limit === undefined) yield whole;
            else window.push(whole);
            if (limit !== undefined && window.length > limit) window.shift();
          }
          if (options.signal?.aborted === true) return;
        }
      }
    }
    // A tail of nothing starts at the end of the file.
    if (limit === 0) position = current?.end ?? 0;
    const unended = changes === undefined ? joiner.flush().filter((line) => isWanted(line) && !isPast(line)) : [];
    const lines = [...window, ...unended];
    yield* limit === undefined ? lines : lines.slice(Math.max(0, lines.length - limit));
    if (changes === undefined) return;
    // Held by who reads them: each file while it is read.
    for (const part of parts) if (part !== current) part.file[Symbol.dispose]();

    for (;;) {
      // Asked before reading: what comes after the answer is in the next file.
      const isLast = current === undefined || isOver(path, current);
      if (current !== undefined) {
        // A smaller file was truncated in place.
        if (!current.isPacked && current.file.size < position) position = 0;
        for await (const lines of linesOf(current, position, Number.MAX_SAFE_INTEGER)) {
          for (const { line, next } of lines) {
            position = next;
            for (const whole of joiner.feed(line)) {
              if (isPast(whole)) return;
              if (isWanted(whole)) yield whole;
            }
            if (options.signal?.aborted === true) return;
          }
        }
      }
      const newest: Part | undefined = isLast ? await openNext(path, current, hold) : undefined;
      if (newest !== undefined) {
        if (current !== undefined && newest.number > current.number + 1)
          options.onLost?.(newest.number - current.number - 1);
        current?.file[Symbol.dispose]();
        current = newest;
        position = 0;
        continue;
      }
      const wake = await changes.next(joiner.hasOpen ? PARTIAL_FLUSH_MS : undefined);
      if (wake === "quiet" || wake === "end") yield* joiner.flush().filter((line) => isWanted(line) && !isPast(line));
      if (wake === "end") return;
    }
  } finally {
    for (const part of parts) part.file[Symbol.dispose]();
    current?.file[Symbol.dispose]();
  }
}
