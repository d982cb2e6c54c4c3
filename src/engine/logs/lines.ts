/** The lines of one file of a log, plain or packed. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { messageOf, TscError } from "../../lib/errors.js";
import type { Part } from "./parts.js";

/** A line of the file without its end, and where the next one begins. */
export interface FileLine {
  readonly line: Buffer;
  readonly next: number;
}

/** Whole lines between two offsets, a block at a time; an unended last line is left for later. A packed file is read whole. */
export async function* linesOf(part: Part, from: number, to: number): AsyncGenerator<Iterable<FileLine>> {
  let rest: Buffer = Buffer.alloc(0);
  let position = part.isPacked ? 0 : from;
  for await (const block of part.isPacked ? unpacked(part) : written(part, from, to)) {
    const start = position - rest.length;
    const data = rest.length === 0 ? block : Buffer.concat([rest, block]);
    position += block.length;
    const end = data.lastIndexOf(0x0a) + 1;
    rest = data.subarray(end);
    if (end > 0) yield splitLines(data.subarray(0, end), start);
  }
}

function* splitLines(data: Buffer, start: number): Generator<FileLine> {
  let begin = 0;
  for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a, begin)) {
    yield { line: data.subarray(begin, end), next: start + end + 1 };
    begin = end + 1;
  }
}

async function* written({ file }: Part, from: number, to: number): AsyncGenerator<Buffer> {
  for (let position = from; position < to; ) {
    const block = file.read(position, Math.min(64 * 1024, to - position));
    if (block.length === 0) return;
    position += block.length;
    yield block;
  }
}

async function* unpacked(part: Part): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const stream = Readable.from(written(part, 0, Number.MAX_SAFE_INTEGER), { objectMode: false });
  stream.on("error", (error) => gunzip.destroy(error));
  try {
    for await (const block of stream.pipe(gunzip)) yield block as Buffer;
  } catch (cause) {
    throw new TscError("TSC_LOG_DAMAGED", `old log file ${part.number} cannot be read: ${messageOf(cause)}`, { cause });
  } finally {
    stream.destroy();
  }
}
