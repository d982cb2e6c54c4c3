/** Words of a command line that do not go together. */
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";

/** `TSC_USAGE`: a flag or argument that is not possible, or not beside another. */
export function usage(message: string, hint?: string): TscError {
  return new TscError("TSC_USAGE", message, { kind: "invalid-input", ...given({ hint }) });
}
