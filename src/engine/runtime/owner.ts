/** Who writes intents: this process. */
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";

let self: ProcessIdentity | undefined;

/** This process, for ever identified. */
export function owner(ctx: Pick<EngineContext, "kernel">): ProcessIdentity {
  self ??= ctx.kernel.processIdentity(process.pid);
  if (self === undefined) throw new TscError("TSC_PROC_MISSING", "/proc does not show this process");
  return self;
}
