/** An open database: statements, transactions, and what is told when SQLite fails. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { primaryCode, SQLITE_BUSY, SQLITE_FULL } from "./sqlite-errors.js";
import { explained } from "./sqlite-failure.js";

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

/** What a statement's parameters may be. */
export type SqlValue = string | number | bigint | null | Uint8Array;
