/** One error for a service that nothing declares, whoever finds out. */
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";

/** docker compose's words; the hint says what there is instead, where that is known. */
export function noSuchService(service: string, hint?: string): TscError {
  return new TscError("TSC_COMPOSE_SERVICE_UNKNOWN", `no such service: ${service}`, {
    kind: "not-found",
    ...given({ hint }),
  });
}
