/** Lines of a k8s-file log: `TIME STREAM F|P TEXT`. Parsing and joining only; no files. */
import type { LogLine } from "../types.js";

/** One line of a k8s-file log. */
export interface RawLine {
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** `F`: the source line ends here; `P`: more of it follows. */
  readonly full: boolean;
  readonly text: Buffer;
}

const SPACE = 0x20;
/** A source line longer than this is given out in pieces, so that a container cannot fill our memory. */
export const MAX_LINE_BYTES = 1 << 20;
/** Pieces are joined at this many: a container that writes byte by byte has a piece for each, which weighs a hundred times its text. */
const MAX_PIECES = 4096;

/** One line of the file without its line end; undefined for what conmon did not write (a torn write after a crash). */
export function parseRawLine(line: Buffer): RawLine | undefined {
  const first = line.indexOf(SPACE);
  if (first < 20) return undefined;
  const second = line.indexOf(SPACE, first + 1);
  if (second < 0) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tag = line[second + 1];
  if ((tag !== 0x46 && tag !== 0x50) || (line[second + 2] ?? SPACE) !== SPACE) return undefined;
  return { time: line.toString("latin1", 0, first), stream, full: tag === 0x46, text: line.subarray(second + 3) };
}

/**
 * Stands in the log where a process of the container begins: lines that the one before left without an end are not continued by it. A
 * line end comes first, so that a line torn by a crash does not swallow the mark.
 */
export const RUN_MARK = "\n# run\n";
const MARK_LINE = Buffer.from(RUN_MARK.trim());

/** True for a line of the file with which a source line is over. */
export function endsLine(line: Buffer): boolean {
  return parseRawLine(line)?.full ?? line.equals(MARK_LINE);
}

/** Joins the pieces of each stream's lines. Feed lines in file order. */
export class LineJoiner {
  /** Streams whose open line was given out before its end, with its time. */
  readonly #given = new Map<"stdout" | "stderr", string>();
  readonly #open = new Map<"stdout" | "stderr", { time: string; parts: Buffer[]; bytes: number }>();

  /** What this line of the file completes: nothing while it is a piece, every open line where another run begins. */
  feed(line: Buffer): readonly LogLine[] {
    const raw = parseRawLine(line);
    if (raw !== undefined) {
      const whole = this.push(raw);
      return whole === undefined ? [] : [whole];
    }
    return line.equals(MARK_LINE) ? this.#end() : [];
  }

  /** The line that this piece ends, or undefined while it is still open. */
  push(raw: RawLine): LogLine | undefined {
    const open = this.#open.get(raw.stream);
    if (raw.full) {
      this.#given.delete(raw.stream);
      this.#open.delete(raw.stream);
      const text = open === undefined ? raw.text : Buffer.concat([...open.parts, raw.text]);
      return { stream: raw.stream, time: open?.time ?? raw.time, text: text.toString("utf8"), partial: false };
    }
    const entry = open ?? { time: raw.time, parts: [], bytes: 0 };
    entry.parts.push(Buffer.from(raw.text));
    if (entry.parts.length >= MAX_PIECES) entry.parts = [Buffer.concat(entry.parts)];
    entry.bytes += raw.text.length;
    this.#open.set(raw.stream, entry);
    return entry.bytes > MAX_LINE_BYTES ? this.#take(raw.stream) : undefined;
  }

  #take(stream: "stdout" | "stderr"): LogLine | undefined {
    const open = this.#open.get(stream);
    if (open === undefined) return undefined;
    this.#open.delete(stream);
    this.#given.set(stream, open.time);
    return { stream, time: open.time, text: Buffer.concat(open.parts).toString("utf8"), partial: true };
  }

  /** What is open now, as partial lines; their rest comes as further lines of the stream. */
  flush(): LogLine[] {
    return (["stdout", "stderr"] as const).flatMap((stream) => this.#take(stream) ?? []);
  }

  #end(): LogLine[] {
    const lines = this.flush().map((line) => ({ ...line, partial: false }));
    for (const { stream } of lines) this.#given.delete(stream);
    const rests = [...this.#given].map(([stream, time]) => ({ stream, time, text: "", partial: false }));
    this.#given.clear();
    return [...lines, ...rests];
  }

  /** Buffers held for what is open, of both streams. */
  get pieces(): number {
    return [...this.#open.values()].reduce((sum, { parts }) => sum + parts.length, 0);
  }

  get hasOpen(): boolean {
    return this.#open.size > 0;
  }
}
