/** The honest answer of a command whose part is not in this build. */
import { TscError } from "../lib/errors.js";

/** Always throws `TSC_UNSUPPORTED` naming the command. */
export function notBuiltYet(command: string, why?: string): never {
  throw new TscError(
    "TSC_UNSUPPORTED",
    `"${command}" is not available in this build${why === undefined ? "" : `: ${why}`}`,
    {
      kind: "unsupported",
    },
  );
}
