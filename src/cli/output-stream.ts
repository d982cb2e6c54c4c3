/**
 * Standard output and error. Node opens a pipe with its whole network module, a tenth of what a short command takes; pipes and files are
 * written synchronously either way (nodejs.org/api/process.html, "A note on process I/O").
 */
import { fstatSync, writeSync } from "node:fs";
import { Writable } from "node:stream";
import { errnoOf } from "../lib/errors.js";

const RETRY_MS = 2;

/**
 * The stream of descriptor 1 or 2; `others` is asked for what is neither pipe nor file. Errors (`EPIPE`, `EIO`, `ENOSPC`) are emitted as
 * Node's own streams do.
 */
export function outputStream(fd: 1 | 2, others: () => NodeJS.WriteStream): NodeJS.WriteStream {
  return isPlain(fd) ? (new PlainOutput(fd) as unknown as NodeJS.WriteStream) : others();
}

function isPlain(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isFile();
  } catch {
    return false;
  }
}

class PlainOutput extends Writable {
  readonly #fd: number;

  constructor(fd: number) {
    super({ decodeStrings: true, emitClose: false, autoDestroy: false });
    this.#fd = fd;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let used = 0;
    try {
      while (used < chunk.length) used += writeSync(this.#fd, chunk, used);
    } catch (error) {
      // a reader may have made the pipe it shares with us one that does not block
      if (errnoOf(error) === "EAGAIN") setTimeout(() => this._write(chunk.subarray(used), encoding, done), RETRY_MS);
      else done(error as Error);
      return;
    }
    done();
  }
}
