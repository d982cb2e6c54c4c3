/** Errors met while cleaning up after another one: kept with it, never in its place. */
import { isTscError, TscError } from "./errors.js";

/** The same error carrying `more` as suppressed; anything that is not ours comes back as it is. */
export function withSuppressed(error: unknown, more: readonly unknown[]): unknown {
  if (more.length === 0 || !isTscError(error)) return error;
  return new TscError(error.code, error.message, {
    kind: error.kind,
    exitCode: error.exitCode,
    cause: error.cause ?? error,
    suppressed: [...error.suppressed, ...more],
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.where === undefined ? {} : { where: error.where }),
  });
}
