/** Taking down goes on past what fails, and tells all of it at the end. */
import { TscErrorList } from "./errors.js";
import { asTscError } from "./system-error.js";

/** Takes the steps one after the other, whatever comes of each; throws what failed: the one error as it is, several as a list. */
export async function tearDown(steps: Iterable<() => unknown>): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  throwEvery(errors);
}

/** Throws nothing for no errors, the error itself for one, a `TscErrorList` for more. */
export function throwEvery(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new TscErrorList(
    errors.map(asTscError).flatMap((error) => (error instanceof TscErrorList ? error.errors : [error])),
  );
}
