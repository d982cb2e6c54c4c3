/** The files one log is made of (current and rotated), and reading them by offsets. No log format beyond line ends here. */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import { RUN_MARK } from "./format.js";

const BLOCK_BYTES = 64 * 1024;

/** Readies a log for another process of its container: made for its owner alone, or ended where the process before left off. */
export function beginRun(path: string): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, 0o600);
  try {
    if (fstatSync(fd).size > 0) writeSync(fd, RUN_MARK);
  } finally {
    closeSync(fd);
  }
}

/** An open log file; survives its renaming. */
export class LogFile implements Disposable {
  readonly fd: number;
  readonly inode: bigint;

  private constructor(fd: number) {
    this.fd = fd;
    this.inode = fstatSync(fd, { bigint: true }).ino;
  }

  /** Undefined when there is no such file (yet). */
  static open(path: string): LogFile | undefined {
    try {
      return new LogFile(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  get size(): number {
    return fstatSync(this.fd).size;
  }

  /** Up to one block from an offset; empty at the end. */
  read(offset: number, length = BLOCK_BYTES): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(this.fd, buffer, 0, length, offset));
  }

  /**
   * Walks line ends backwards from `end` and returns the offset where the line begins at which `enough`
   * (called with each whole line, last one first) says stop; 0 when it never does.
   */
  scanBackwards(end: number, enough: (line: Buffer) => boolean): number {
    let tail: Buffer = Buffer.alloc(0);
    let position = end;
    while (position > 0) {
      const length = Math.min(BLOCK_BYTES, position);
      position -= length;
      const block = Buffer.concat([this.read(position, length), tail]);
      let lineEnd = block.length;
      if (position + lineEnd === end && block[lineEnd - 1] === 0x0a) lineEnd--;
      for (;;) {
        const before = lineEnd > 0 ? block.lastIndexOf(0x0a, lineEnd - 1) : -1;
        if (before < 0) break;
        if (enough(block.subarray(before + 1, lineEnd))) return position + before + 1;
        lineEnd = before;
      }
      tail = block.subarray(0, lineEnd);
    }
    return 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** Rotated files of a log (`LOG.1` newest … `LOG.9` oldest), oldest first. */
export async function rotatedFiles(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`;
  let names: string[];
  try {
    names = await readdir(dirname(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => name.startsWith(prefix) && /^\d{1,4}$/.test(name.slice(prefix.length)))
    .sort((a, b) => Number(b.slice(prefix.length)) - Number(a.slice(prefix.length)))
    .map((name) => join(dirname(path), name));
}
