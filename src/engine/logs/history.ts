/** Where reading begins: the last lines or a point in time, without reading what lies before. */
import { parseRfc3339Nano } from "../../lib/timestamp.js";
import type { LogFile } from "./files.js";
import { endsLine, parseRawLine } from "./format.js";
import { linesOf } from "./lines.js";
import type { Part } from "./parts.js";

/** A file of the log and where reading it begins. */
export interface Piece {
  readonly part: Part;
  readonly offset: number;
}

/** File times are coarser than those of lines. */
const CLOCK_NANOSECONDS = 1_000_000_000n;

/** Where the last `count` source lines begin. */
export async function lastLines(parts: readonly Part[], count: number): Promise<readonly Piece[]> {
  if (count === 0) return [];
  // One line more than asked for: pieces of the first wanted line may stand before the previous line's end.
  let left = count + 2;
  const enough = (line: Buffer): boolean => {
    if (endsLine(line)) left--;
    return left <= 0;
  };
  const pieces: Piece[] = [];
  for (const part of parts.toReversed()) {
    if (part.isPacked) {
      for await (const lines of linesOf(part, 0, 0)) for (const { line } of lines) if (endsLine(line)) left--;
      pieces.unshift({ part, offset: 0 });
    } else {
      pieces.unshift({ part, offset: part.file.scanBackwards(part.end, enough) });
    }
    if (left <= 0) break;
  }
  return pieces;
}

/** All files; those that end before `since` are left out, and the first one begins near it. */
export function fromTime(parts: readonly Part[], since: bigint | undefined): readonly Piece[] {
  if (since === undefined) return parts.map((part) => ({ part, offset: 0 }));
  const pieces: Piece[] = [];
  for (const part of parts.toReversed()) {
    if (part.isPacked && part.file.writtenAt + CLOCK_NANOSECONDS < since) break;
    const offset = part.isPacked ? 0 : offsetOfTime(part.file, since);
    pieces.unshift({ part, offset });
    if (offset > 0) break;
  }
  return pieces;
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
