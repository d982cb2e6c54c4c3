/** The one error class users meet. Owns codes, kinds and exit codes; prints nothing. */
import type { ErrorCode } from "./error-codes/index.js";

export type { ErrorCode } from "./error-codes/index.js";

/** What kind of failure it is; decides the exit code where no verb has its own rule. */
export type ErrorKind =
  | "invalid-input"
  | "not-found"
  | "already-exists"
  | "conflict"
  | "unsupported"
  | "denied"
  | "unavailable"
  | "timeout"
  | "cancelled"
  | "internal";

/** A place in a file a person wrote; line and column count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The text of that line, for the caret display. */
  readonly text?: string;
}

/** What an error has besides code and message. */
export interface TscErrorOptions {
  readonly kind?: ErrorKind;
  /** What the person can do about it: one sentence, no full stop needed. */
  readonly hint?: string;
  readonly where?: SourcePlace;
  readonly cause?: unknown;
  /** Errors met while cleaning up after this one; never replace it. */
  readonly suppressed?: readonly unknown[];
  /** Overrides the exit code that `kind` implies. */
  readonly exitCode?: number;
}

/**
 * An error a user can reach. `code` is stable (`TSC_NETWORK_SUBNET_TAKEN`), `message` is lowercase,
 * names the object and ends without a full stop. Compare by `code`, not by `instanceof`.
 */
export class TscError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly where: SourcePlace | undefined;
  readonly suppressed: readonly unknown[];
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: TscErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TscError";
    this.code = code;
    this.kind = options.kind ?? "internal";
    this.hint = options.hint;
    this.where = options.where;
    this.suppressed = options.suppressed ?? [];
    this.exitCode = options.exitCode ?? (this.kind === "cancelled" ? 130 : 1);
  }
}

/** Several problems found in one go (validation, teardown); never holds fewer than two. */
export class TscErrorList extends TscError {
  readonly errors: readonly TscError[];

  constructor(errors: readonly TscError[]) {
    const first = errors[0];
    super(first?.code ?? "TSC_INTERNAL", errors.map((e) => e.message).join("\n"), {
      kind: first?.kind ?? "internal",
      ...(first === undefined ? {} : { exitCode: first.exitCode }),
    });
    this.name = "TscErrorList";
    this.errors = errors;
  }
}

/** The same error with another message or exit code. */
export function changedError(
  error: TscError,
  change: { readonly message?: string; readonly exitCode?: number },
): TscError {
  const { code, kind, hint, where, cause, suppressed, exitCode } = error;
  return new TscError(code, change.message ?? error.message, {
    kind,
    suppressed,
    exitCode: change.exitCode ?? exitCode,
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { where }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Throws nothing for no errors, the error itself for one, a `TscErrorList` for more. */
export function throwAll(errors: readonly TscError[]): void {
  const first = errors[0];
  if (first === undefined) return;
  throw errors.length === 1 ? first : new TscErrorList(errors);
}

/** True for anything with our stable `code`; works across realms (jest) where `instanceof` does not. */
export function isTscError(error: unknown, code?: ErrorCode): error is TscError {
  if (typeof error !== "object" || error === null || !("code" in error) || !("kind" in error)) return false;
  return code === undefined || error.code === code;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}

/** The errno name (`ENOENT`) of a Node system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** For `catch`: what is not there (ENOENT) is as good as gone; every other failure goes on. */
export function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
}

/** For the default branch of a switch over a union: fails to compile when a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
