/** Files that a stranger may have named or made: read whole, within a bound, never waited for. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf } from "./errors.js";

/**
 * A regular file's bytes, at most `limit` of them (a longer file gives `limit` + 1). Undefined when there is none to read: missing, no
 * right, a folder, a fifo (which would be waited for), a device (which may have no end). Links are followed.
 */
export function readRegularFile(path: string, limit: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
  try {
    return fstatSync(fd).isFile() ? readAtMost(fd, limit) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** The bytes of an open file up to its end, at most `limit` + 1 of them: one more tells that there are more. */
function readAtMost(fd: number, limit: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= limit; ) {
    const chunk = Buffer.alloc(Math.min(64 * 1024, limit + 1 - total));
    const length = readSync(fd, chunk);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    total += length;
  }
  return Buffer.concat(chunks);
}
