/**
 * Reads a container's k8s-file log: last lines without reading the whole file, a span of time, and
 * following across rotation. The log is written by conmon; nothing here writes or decides when a container ended.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { TscError } from "../../lib/errors.js";
import { parsePointInTime, parseRfc3339Nano } from "../../lib/timestamp.js";
import type { LogLine, LogOptions } from "../types.js";
import { LogFile, rotatedFiles } from "./files.js";
import { endsLine, LineJoiner, parseRawLine } from "./format.js";

export { beginRun } from "./files.js";

/** While following, an unfinished line (a prompt) is shown after this long without more of it. */
const PARTIAL_FLUSH_MS = 100;

export interface ReadLogOptions extends LogOptions {
  /** Following ends, after what is written was read, once this resolves (the container ended and its log is complete). Never rejects. */
  readonly finished?: Promise<unknown>;
}

/**
 * The lines of a log, oldest first. `since` / `until` take what docker takes. A missing log has no lines (followed, it is
 * waited for). A line with `partial` continues in the next line of the same stream. `TSC_TIME_INVALID` for a bad time.
 */
export async function* readLog(path: string, options: ReadLogOptions = {}): AsyncGenerator<LogLine> {
  const since = bound("since", options.since);
  const until = bound("until", options.until);
  const isWanted = (line: LogLine): boolean => since === undefined || (parseRfc3339Nano(line.time) ?? 0n) >= since;
  const isPast = (line: LogLine): boolean => until !== undefined && (parseRfc3339Nano(line.time) ?? 0n) > until;

  const joiner = new LineJoiner();
  // Opened before the old files are read, so that nothing falls between history and following.
  using changes = options.follow === true ? new FileChanges(path, options) : undefined;
  let current = LogFile.open(path);
  try {
    const end = current?.size ?? 0;
    const history =
      options.tail === undefined || options.tail < 0
        ? await fromTime(path, current, since)
        : await lastLines(path, current, end, options.tail);
    let position = 0;
    const window: LogLine[] = [];
    const limit = options.tail === undefined || options.tail < 0 ? undefined : options.tail;
    for (const piece of history) {
      const isCurrent = piece.path === path;
      const file = isCurrent ? current : LogFile.open(piece.path);
      if (file === undefined) continue;
      try {
        for (const { line, next } of linesOf(file, piece.offset, isCurrent ? end : file.size)) {
          if (isCurrent) position = next;
          for (const whole of joiner.feed(line)) {
            if (isPast(whole) || !isWanted(whole)) continue;
            if (limit === undefined) yield whole;
            else window.push(whole);
            if (limit !== undefined && window.length > limit) window.shift();
          }
          if (options.signal?.aborted === true) return;
        }
      } finally {
        if (!isCurrent) file[Symbol.dispose]();
      }
    }
    // A tail of nothing starts at the end of the file.
    if (limit === 0) position = end;
    const unended = changes === undefined ? joiner.flush().filter((line) => isWanted(line) && !isPast(line)) : [];
    const lines = [...window, ...unended];
    yield* limit === undefined ? lines : lines.slice(Math.max(0, lines.length - limit));
    if (changes === undefined) return;

    for (;;) {
      if (current !== undefined) {
        // conmon's own rotation truncates a fresh file; ours renames. A smaller file was truncated in place.
        if (current.size < position) position = 0;
        for (const { line, next } of linesOf(current, position, Number.MAX_SAFE_INTEGER)) {
          position = next;
          for (const whole of joiner.feed(line)) {
            if (isPast(whole)) return;
            if (isWanted(whole)) yield whole;
          }
          if (options.signal?.aborted === true) return;
        }
      }
      const newest = LogFile.open(path);
      if (newest !== undefined && newest.inode !== current?.inode) {
        const isLate = current !== undefined && current.size > position;
        if (isLate) {
          newest[Symbol.dispose]();
          continue;
        }
        current?.[Symbol.dispose]();
        current = newest;
        position = 0;
        continue;
      }
      newest?.[Symbol.dispose]();
      const wake = await changes.next(joiner.hasOpen ? PARTIAL_FLUSH_MS : undefined);
      if (wake === "quiet" || wake === "end") yield* joiner.flush().filter((line) => isWanted(line) && !isPast(line));
      if (wake === "end") return;
    }
  } finally {
    current?.[Symbol.dispose]();
  }
}

function bound(option: string, text: string | undefined): bigint | undefined {
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

interface Piece {
  readonly path: string;
  readonly offset: number;
}

/** Where the last `count` source lines begin: offsets into rotated files and the current one, oldest first. */
async function lastLines(path: string, current: LogFile | undefined, end: number, count: number): Promise<Piece[]> {
  if (count === 0) return [];
  // One line more than asked for: pieces of the first wanted line may stand before the previous line's end.
  let left = count + 2;
  const enough = (line: Buffer): boolean => {
    if (endsLine(line)) left--;
    return left <= 0;
  };
  const pieces: Piece[] = [];
  if (current !== undefined) pieces.unshift({ path, offset: current.scanBackwards(end, enough) });
  if (left <= 0) return pieces;
  for (const older of (await rotatedFiles(path)).reverse()) {
    using file = LogFile.open(older);
    if (file === undefined) continue;
    pieces.unshift({ path: older, offset: file.scanBackwards(file.size, enough) });
    if (left <= 0) break;
  }
  return pieces;
}

/** All files; those that end before `since` are left out, and the first one begins near it. */
async function fromTime(path: string, current: LogFile | undefined, since: bigint | undefined): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (const older of await rotatedFiles(path)) pieces.push({ path: older, offset: 0 });
  if (current !== undefined) pieces.push({ path, offset: 0 });
  if (since === undefined) return pieces;
  const result: Piece[] = [];
  for (const piece of pieces.reverse()) {
    using opened = piece.path === path ? undefined : LogFile.open(piece.path);
    const file = opened ?? current;
    if (file === undefined) continue;
    const offset = offsetOfTime(file, since);
    result.unshift({ path: piece.path, offset });
    if (offset > 0) break;
  }
  return result;
}

/** An offset at or before the first line not older than `since`, by halving: conmon writes in order of time. */
function offsetOfTime(file: LogFile, since: bigint): number {
  let low = 0;
  let high = file.size;
  while (high - low > 256 * 1024) {
    const middle = Math.floor((low + high) / 2);
    const block = file.read(middle);
    const start = block.indexOf(0x0a) + 1;
    const stop = block.indexOf(0x0a, start);
    const raw = start > 0 && stop > 0 ? parseRawLine(block.subarray(start, stop)) : undefined;
    const time = raw === undefined ? undefined : parseRfc3339Nano(raw.time);
    if (time === undefined) break;
    if (time < since) low = middle + start;
    else high = middle;
  }
  return low;
}

/** Whole lines between two offsets, with the offset after each; an unended last line is left for later. */
function* linesOf(file: LogFile, from: number, to: number): Generator<{ line: Buffer; next: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let position = from;
  for (;;) {
    const block = position < to ? file.read(position, Math.min(64 * 1024, to - position)) : Buffer.alloc(0);
    if (block.length === 0) return;
    const start = position - rest.length;
    const data = rest.length === 0 ? block : Buffer.concat([rest, block]);
    position += block.length;
    let lineStart = 0;
    for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a, lineStart)) {
      yield { line: data.subarray(lineStart, end), next: start + end + 1 };
      lineStart = end + 1;
    }
    rest = data.subarray(lineStart);
  }
}

/** Wakes the follower on writes and renames in the log's folder, on the end of the container and on abort. */
class FileChanges implements Disposable {
  readonly #watcher: FSWatcher;
  readonly #signal: AbortSignal | undefined;
  #state: "idle" | "changed" | "finishing" | "ended" = "idle";
  #wake: (() => void) | undefined;

  constructor(path: string, options: ReadLogOptions) {
    const name = basename(path);
    this.#watcher = watch(dirname(path), (_kind, file) => {
      if (file === null || file === name) this.#set("changed");
    });
    this.#watcher.on("error", () => this.#set("ended"));
    this.#signal = options.signal;
    if (options.signal?.aborted === true) this.#state = "ended";
    options.signal?.addEventListener("abort", this.#abort);
    void options.finished?.then(() => this.#set("finishing"));
  }

  readonly #abort = (): void => this.#set("ended");

  #set(state: "changed" | "finishing" | "ended"): void {
    const isWeaker = state === "changed" && this.#state !== "idle";
    if (!isWeaker && this.#state !== "ended") this.#state = state;
    this.#wake?.();
  }

  /** `changed`: read again; `quiet`: nothing came for `quietMs`; `end`: everything was read and nothing more will come. */
  async next(quietMs: number | undefined): Promise<"changed" | "quiet" | "end"> {
    if (this.#state === "idle") {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (quietMs !== undefined) timer = setTimeout(resolve, quietMs);
      });
      this.#wake = undefined;
      clearTimeout(timer);
    }
    switch (this.#state) {
      case "idle":
        return "quiet";
      case "changed":
        this.#state = "idle";
        return "changed";
      case "finishing":
        // One more pass: the last lines may have been written after our last read and before the end.
        this.#state = "ended";
        return "changed";
      case "ended":
        return "end";
    }
  }

  [Symbol.dispose](): void {
    this.#state = "ended";
    this.#watcher.close();
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
