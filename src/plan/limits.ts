/** Says what a project asks for and does not get, before anything is made: nothing is dropped in silence. */
import { limitText, type Met } from "../compose/attributes/index.js";
import { TscError, throwAll } from "../lib/errors.js";

/** Warns of what has no effect; throws TSC_SERVICE_UNSUPPORTED, every one of them, for what cannot be done without. */
export function sayLimits(met: readonly Met[], warn: (message: string) => void): void {
  throwAll(
    met
      .filter(({ limit }) => limit.outcome === "refused")
      .map(
        (one) => new TscError("TSC_SERVICE_UNSUPPORTED", limitText(one), { kind: "unsupported", hint: one.limit.why }),
      ),
  );
  for (const one of met) warn(limitText(one));
}
