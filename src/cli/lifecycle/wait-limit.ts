/** `--wait-timeout`: bounds the time until services are running or healthy. */
import { isTscError, TscError } from "../../lib/errors.js";
import type { CliContext } from "../context.js";
import { usage } from "../usage.js";

/** Runs `work` with a signal that fires after `seconds` (absent: never); then fails with TSC_WAIT_TIMEOUT. What was started stays. */
export async function waitLimit<T>(
  ctx: CliContext,
  seconds: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (seconds === undefined || seconds === 0) return await work(ctx.signal);
  if (seconds < 0) throw usage("--wait-timeout must be a non-negative integer");
  const limit = AbortSignal.timeout(seconds * 1000);
  try {
    return await work(AbortSignal.any([ctx.signal, limit]));
  } catch (error) {
    if (limit.aborted && !ctx.signal.aborted && isTscError(error, "TSC_CANCELLED")) {
      throw new TscError("TSC_WAIT_TIMEOUT", `application not healthy after ${seconds}s`, { kind: "timeout" });
    }
    throw error;
  }
}
