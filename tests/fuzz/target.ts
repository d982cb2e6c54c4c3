/** What a fuzz target is. */

export interface Target {
  /** Words of the format, worth putting in. */
  readonly words: readonly string[];
  /** Makes sums right that every change breaks, so that most inputs get behind the first check. */
  readonly mend?: (data: Buffer) => Buffer;
  /** Gives the input to the code under test; throws only for a finding. */
  readonly run: (data: Buffer) => void | Promise<void>;
}

/** A promise of the code under test that does not hold. */
class Broken extends Error {}

/** Throws unless it holds; `what` is the promise. */
export function promise(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what);
}
