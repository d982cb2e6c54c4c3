/** Says what a project asks for and does not get, before anything is made: nothing is dropped in silence. */
import { limitText, type Met } from "../compose/attributes/index.js";
import type { Project } from "../compose/model.js";
import { TscError, throwAll } from "../lib/errors.js";

/** Warns of what has no effect; throws TSC_SERVICE_UNSUPPORTED, every one of them at its place, for what cannot be done without. */
export function sayLimits(project: Project, met: readonly Met[], warn: (message: string) => void): void {
  throwAll(met.filter(({ limit }) => limit.outcome === "refused").map((one) => refusal(project, one)));
  for (const one of met) warn(limitText(one));
}

function refusal(project: Project, met: Met): TscError {
  const where = project.locate(met.path);
  return new TscError("TSC_SERVICE_UNSUPPORTED", limitText(met), {
    kind: "unsupported",
    hint: met.limit.why,
    ...(where === undefined ? {} : { where }),
  });
}
