/** Failures of the machine itself (disk full, read-only, denied, a file where a folder is meant …) as errors a user can act on. Pure. */
import { type ErrorCode, errnoOf, isTscError, messageOf, TscError } from "./errors.js";

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

const NO_SPACE: Meaning = {
  code: "TSC_NO_SPACE",
  what: "no space left on device",
  hint: "free some space there (`df -h` and `df -i` show how much is left), then run the command again: it goes on where it stopped",
};
const READ_ONLY: Meaning = {
  code: "TSC_READ_ONLY",
  what: "read-only file system",
  hint: "remount it writable, or set TSCOMPOSE_ROOT to a place that is",
};
const NO_FILES: Meaning = {
  code: "TSC_TOO_MANY_FILES",
  what: "too many open files",
  hint: "raise the limit (`ulimit -n`)",
};
const denied = (what: string): Meaning => ({
  code: "TSC_DENIED",
  what,
  hint: "look at its owner and mode (`ls -ld`), or run the command as a user who may",
});
const badPath = (what: string): Meaning => ({
  code: "TSC_PATH",
  what,
  hint: "correct the path that was given (TSCOMPOSE_ROOT, TSCOMPOSE_RUN_ROOT, DOCKER_CONFIG, HOME, TMPDIR …), or what stands there",
});
const MEANINGS = {
  ENOSPC: NO_SPACE,
  EDQUOT: { ...NO_SPACE, what: "disk quota exceeded" },
  EROFS: READ_ONLY,
  EMFILE: NO_FILES,
  ENFILE: NO_FILES,
  EACCES: denied("permission denied"),
  EPERM: denied("operation not permitted"),
  ENOTDIR: badPath("not a directory"),
  EISDIR: badPath("is a directory"),
  ELOOP: badPath("too many symbolic links"),
  ENAMETOOLONG: badPath("file name too long"),
  ENOMEM: { code: "TSC_NO_MEMORY", what: "cannot allocate memory", hint: "free some memory, or raise the limit" },
  EAGAIN: { code: "TSC_NO_PROCESSES", what: "resource temporarily unavailable", hint: "raise the limit (`ulimit -u`)" },
  EIO: { code: "TSC_IO", what: "input/output error", hint: "the disk may be failing: look at `dmesg`" },
} satisfies Record<string, Meaning>;
/** Primary result codes of SQLite (sqlite3.h). */
const SQLITE: Readonly<Record<number, Meaning>> = {
  8: READ_ONLY,
  10: MEANINGS.EIO,
  13: NO_SPACE,
};

/** Undefined when the error is no such failure; the path it happened at stands in the message when it is known. */
export function systemError(error: unknown): TscError | undefined {
  const meaning = meaningOf(error);
  if (meaning === undefined) return undefined;
  const path = typeof error === "object" && error !== null && "path" in error ? String(error.path) : "";
  const where = path === "" ? (sqliteCode(error) === undefined ? messageOf(error) : "the state database") : path;
  return told(meaning, where);
}

/** Anything thrown as an error of ours: a failure of the machine with its meaning, the rest as `TSC_INTERNAL`. */
export function asTscError(error: unknown): TscError {
  if (isTscError(error)) return error;
  return systemError(error) ?? new TscError("TSC_INTERNAL", messageOf(error), { cause: error });
}

/** The error of an errno at a place, for whoever knows of it without the system call that would say so. */
export function systemErrorAt(errno: keyof typeof MEANINGS, where: string): TscError {
  return told(MEANINGS[errno], where);
}

function told({ code, what, hint }: Meaning, where: string): TscError {
  const message = where.includes(what) ? where : `${where}: ${what}`;
  return new TscError(code, message, { kind: "unavailable", hint });
}

function meaningOf(error: unknown): Meaning | undefined {
  const sqlite = sqliteCode(error);
  if (sqlite !== undefined) return SQLITE[sqlite & 0xff];
  return (MEANINGS as Readonly<Record<string, Meaning>>)[errnoOf(error) ?? ""];
}

/** node:sqlite puts SQLite's extended result code in `errcode`. */
function sqliteCode(error: unknown): number | undefined {
  const isSqlite = typeof error === "object" && error !== null && "errcode" in error;
  return isSqlite && typeof error.errcode === "number" ? error.errcode : undefined;
}
