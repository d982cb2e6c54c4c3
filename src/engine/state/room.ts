/**
 * Room for the database on a full disk: a reserve that is given up, so that `down` and `image rm` can still write.
 */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "../../lib/errors.js";

/** How much is kept back. */
export const RESERVE_BYTES = 1 << 20;

/** Where it is kept. */
export const reserveOf = (path: string): string => `${path}-reserve`;

/** Room that is given up when the disk is full, enough for the write-ahead log of a `down`. */
export function keepReserve(path: string): void {
  const reserve = reserveOf(path);
  try {
    // random: a file of zeros takes no room on some file systems
    writeFileSync(reserve, randomBytes(RESERVE_BYTES), { mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    rmSync(reserve, { force: true });
  }
}

/** Gives it up; false when there is none. */
export function releaseReserve(path: string): boolean {
  const reserve = reserveOf(path);
  if (!existsSync(reserve)) return false;
  rmSync(reserve, { force: true });
  return true;
}

/** Whether the disk of a file has that much room. */
export function hasRoom(path: string, bytes: number): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize >= bytes;
}
