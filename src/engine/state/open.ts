/** Opening the database: patience with other commands, its version, its mode, and a disk without room. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TscError } from "../../lib/errors.js";
import { State } from "./database.js";
import { hasRoom, keepReserve, RESERVE_BYTES, releaseReserve, reserveOf } from "./room.js";
import { SCHEMA_VERSION, upgrade } from "./schema.js";
import { primaryCode, SQLITE_BUSY } from "./sqlite-errors.js";
import { explained, isFull } from "./sqlite-failure.js";

const BUSY_MILLISECONDS = 10_000;

/**
 * Opens (and creates) the database. `TSC_STATE_TOO_NEW` when a later version of tscompose wrote it,
 * `TSC_STATE_CORRUPT` when SQLite refuses the file, `TSC_STATE_BUSY` when another command keeps it locked for ten
 * seconds, `TSC_NO_SPACE`, `TSC_READ_ONLY`, `TSC_STATE_UNAVAILABLE`.
 */
export function openState(path: string): State {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const db = openPatiently(path);
    if (!existsSync(reserveOf(path)) && hasRoom(path, 16 * RESERVE_BYTES)) keepReserve(path);
    return new State(db, path);
  } catch (error) {
    // A full disk must be emptiable by `down` and `image rm`, and those have to write here.
    if (!isFull(path, error) || !releaseReserve(path)) throw explained(path, error);
  }
  try {
    return new State(openPatiently(path), path);
  } catch (error) {
    throw explained(path, error);
  }
}

/**
 * The busy handler is not asked while another command changes a new file to its write-ahead log, nor while the last
 * one takes the log away at its end (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode").
 */
function openPatiently(path: string): DatabaseSync {
  for (const end = Date.now() + BUSY_MILLISECONDS; ; ) {
    try {
      return openDatabase(path);
    } catch (error) {
      if (primaryCode(error) !== SQLITE_BUSY || Date.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  keepPrivate(path);
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`);
    const version = Number((db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version);
    if (version > SCHEMA_VERSION) {
      throw new TscError(
        "TSC_STATE_TOO_NEW",
        `state database ${path} has version ${version}, this tscompose knows ${SCHEMA_VERSION}`,
        {
          kind: "unsupported",
          hint: "use the newer tscompose that wrote it",
        },
      );
    }
    db.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON");
    if (version < SCHEMA_VERSION) upgrade(db, path, version);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** SQLite gives its log and shared memory the mode of the file; those of an earlier version are tightened with it. */
function keepPrivate(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    closeSync(openSync(path, "a", 0o600));
    return;
  }
  if ((found.mode & 0o077) === 0) return;
  for (const name of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(name)) chmodSync(name, 0o600);
}
