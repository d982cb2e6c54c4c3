/** What SQLite calls its failures (sqlite.org/rescode.html). */

/** Another command has the database locked (sqlite.org/rescode.html). */
export const SQLITE_BUSY = 5;

/** The disk is full. */
export const SQLITE_FULL = 13;

/** The primary result code of an error of SQLite's; 0 for any other. */
export function primaryCode(error: unknown): number {
  return typeof error === "object" && error !== null && "errcode" in error ? Number(error.errcode) & 0xff : 0;
}
