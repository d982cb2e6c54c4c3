/** What SQLite's failures mean to a person. */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, isTscError, messageOf, TscError } from "../../lib/errors.js";
import { systemErrorAt } from "../../lib/system-error.js";
import { hasRoom, RESERVE_BYTES } from "./room.js";
import { primaryCode, SQLITE_BUSY, SQLITE_FULL } from "./sqlite-errors.js";

/** SQLite calls it an input/output error when its shared memory finds no room. */
export function isFull(path: string, error: unknown): boolean {
  const code = primaryCode(error);
  if (code === SQLITE_FULL) return true;
  if (code !== 10 && code !== 14) return false;
  return !hasRoom(path, RESERVE_BYTES / 4);
}

/** The failure in a person's words: `TSC_NO_SPACE`, `TSC_READ_ONLY`, `TSC_STATE_UNAVAILABLE`, `TSC_STATE_BUSY`, `TSC_STATE_CORRUPT`; errors of ours as they are. */
export function explained(path: string, error: unknown): unknown {
  if (isTscError(error)) return error;
  const name = `state database ${path}`;
  if (isFull(path, error)) return systemErrorAt("ENOSPC", name);
  const code = primaryCode(error);
  if (code === 8 || code === 14) {
    try {
      accessSync(dirname(path), constants.W_OK);
    } catch (denied) {
      if (errnoOf(denied) === "EROFS") return systemErrorAt("EROFS", name);
    }
    return new TscError("TSC_STATE_UNAVAILABLE", `${name} cannot be opened: ${messageOf(error)}`, {
      kind: "denied",
      hint: "its folder and files must belong to this user",
    });
  }
  if (code === 10) return systemErrorAt("EIO", name);
  if (code === SQLITE_BUSY) {
    return new TscError("TSC_STATE_BUSY", `${name} is locked by another command`, {
      kind: "unavailable",
      hint: "wait for that command to end, then run this one again",
    });
  }
  return new TscError("TSC_STATE_CORRUPT", `${name} cannot be opened`, {
    cause: error,
    hint: "move the file away to start afresh; running containers are found again by their labels",
  });
}
