/** One open log file, read by offsets. No log format beyond line ends here. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf } from "../../lib/errors.js";

const BLOCK_BYTES = 64 * 1024;

/** An open log file; survives its renaming. */
export class LogFile implements Disposable {
  readonly fd: number;
  readonly inode: bigint;
  #isOpen = true;

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

  /** It has no name any more. */
  get isGone(): boolean {
    return fstatSync(this.fd).nlink === 0;
  }

  /** When it was last written to, in nanoseconds since 1970. */
  get writtenAt(): bigint {
    return fstatSync(this.fd, { bigint: true }).mtimeNs;
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
    // the number may belong to another file by now
    if (this.#isOpen) closeSync(this.fd);
    this.#isOpen = false;
  }
}
