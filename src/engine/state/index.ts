/**
 * The state database: opening, schema, transactions. One file of typed functions per table stands beside
 * this one. Durable facts only; what is true now is asked of the kernel.
 */
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { errnoOf, isTscError, messageOf, TscError } from "../../lib/errors.js";
import { systemErrorAt } from "../../lib/system-error.js";
import { SCHEMA_VERSION, upgrade } from "./schema.js";
import { primaryCode, SQLITE_BUSY, SQLITE_FULL } from "./sqlite-errors.js";

const BUSY_MILLISECONDS = 10_000;

/** An open state database. Statements are prepared once and kept. */
export class State implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  #forgets = false;

  readonly #path: string;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
  }

  /** A full disk shows itself in the middle of work too, and as an input/output error; so does a lock that is kept. */
  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw [SQLITE_BUSY, 8, 10, SQLITE_FULL].includes(primaryCode(error)) ? explained(this.#path, error) : error;
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Every row of a query. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#told(() => this.#statement(sql).all(...values) as Row[]);
  }

  /** The first row, or undefined. */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#told(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  /** Runs a change; the number of rows it touched. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#told(() => Number(this.#statement(sql).run(...values).changes));
  }

  /** Runs `work` (synchronous: no other command sees it half done) in one write transaction; nested calls join the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#told(() => this.#db.exec("BEGIN IMMEDIATE"));
    this.#depth++;
    try {
      const result = work();
      this.#told(() => this.#db.exec("COMMIT"));
      return result;
    } catch (error) {
      // SQLite rolls back by itself when it runs out of room
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** What was deleted must not outlive it in the write-ahead log: that is emptied at the end, as far as nobody reads from it. */
  forgetOnClose(): void {
    this.#forgets = true;
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#forgets) this.#db.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
    this.#db.close();
  }
}

export type SqlValue = string | number | bigint | null | Uint8Array;

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

const RESERVE_BYTES = 1 << 20;
const reserveOf = (path: string): string => `${path}-reserve`;

/** Room that is given up when the disk is full, enough for the write-ahead log of a `down`. */
function keepReserve(path: string): void {
  const reserve = reserveOf(path);
  try {
    // random: a file of zeros takes no room on some file systems
    writeFileSync(reserve, randomBytes(RESERVE_BYTES), { mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    rmSync(reserve, { force: true });
  }
}

function releaseReserve(path: string): boolean {
  const reserve = reserveOf(path);
  if (!existsSync(reserve)) return false;
  rmSync(reserve, { force: true });
  return true;
}

/** SQLite calls it an input/output error when its shared memory finds no room. */
function isFull(path: string, error: unknown): boolean {
  const code = primaryCode(error);
  if (code === SQLITE_FULL) return true;
  if (code !== 10 && code !== 14) return false;
  return !hasRoom(path, RESERVE_BYTES / 4);
}

function hasRoom(path: string, bytes: number): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize >= bytes;
}

function explained(path: string, error: unknown): unknown {
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
