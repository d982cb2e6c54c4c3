/** Which errors are answers: ours, with a code and a message. Everything else is a foreign stack trace in a person's terminal. */
import { isTscError, TscError } from "../../../src/lib/errors.js";

/** What `body` gives, or undefined when it refuses properly; anything else it throws goes on. `ours` are further classes that callers expect. */
export function refusing<T>(body: () => T, ...ours: readonly (new (...args: never[]) => Error)[]): T | undefined {
  try {
    return body();
  } catch (error) {
    if (isRefusal(error, ours)) return undefined;
    throw error;
  }
}

/** The same for what takes time. */
export async function refusingLater<T>(
  body: () => Promise<T>,
  ...ours: readonly (new (
    ...args: never[]
  ) => Error)[]
): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (isRefusal(error, ours)) return undefined;
    throw error;
  }
}

function isRefusal(error: unknown, ours: readonly (new (...args: never[]) => Error)[]): boolean {
  if (ours.some((one) => error instanceof one && error.constructor === one)) return true;
  if (error instanceof AggregateError) return error.errors.every((one) => isRefusal(one, ours));
  if (!(error instanceof TscError) || !isTscError(error)) return false;
  return /^TSC_[A-Z0-9_]+$/.test(error.code) && error.code !== "TSC_INTERNAL" && error.message !== "";
}
