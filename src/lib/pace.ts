/** Long synchronous work in slices, so that signals and timers get their turn. */
import { setImmediate as nextTurn } from "node:timers/promises";

const SLICE_MS = 20;

/** Call it (and await) in every round of a loop over something that others chose the size of; throws the signal's reason when aborted. */
export type Pace = () => Promise<void> | undefined;

/** Lets others run after each slice of 20 ms; in between it costs one reading of the clock. */
export function createPace(signal: AbortSignal | undefined): Pace {
  let started = performance.now();
  return () => {
    if (performance.now() - started < SLICE_MS) return undefined;
    return nextTurn().then(() => {
      started = performance.now();
      signal?.throwIfAborted();
    });
  };
}
