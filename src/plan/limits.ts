/** Says what a project asks for and does not get, before anything is made: nothing is dropped in silence. */
import { limitText, type Met } from "../compose/attributes/index.js";
import type { Project } from "../compose/model.js";
import { TscError, throwAll } from "../lib/errors.js";
import { given } from "../lib/given.js";

/** Warns of what has no effect; throws TSC_SERVICE_UNSUPPORTED with its place, every one of them, for what cannot be done without. */
export function sayLimits(
  met: readonly Met[],
  project: Pick<Project, "locate">,
  warn: (message: string) => void,
): void {
  throwAll(met.filter(({ limit }) => limit.outcome === "refused").map((one) => refusal(one, project)));
  for (const one of met) warn(limitText(one));
}

function refusal(met: Met, { locate }: Pick<Project, "locate">): TscError {
  const where = locate(met.path);
  return new TscError("TSC_SERVICE_UNSUPPORTED", limitText(met), {
    kind: "unsupported",
    hint: met.limit.why,
    ...given({ where }),
  });
}
