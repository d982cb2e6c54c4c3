/** The start of one container: after its conditions, its hooks and what makes it ready. */
import { given } from "../../lib/given.js";
import type { ContainerFate } from "../reconcile/fate.js";
import { keyOf, lastTarget, resourceOf, type Up } from "./context.js";
import { hooksOfService } from "./stops.js";
import type { StartConditions } from "./writers/writer.js";

/** Starts it; the ids after which it counts as started. */
export function startContainer(
  up: Up,
  container: ContainerFate,
  before: StartConditions,
  cause: string,
): readonly number[] {
  const about = startOf(up, container, before, cause);
  const postStart = hooksOfService(up, container.service, "post_start");
  const hooks = given({ postStart });
  return [up.plan.add(about, { kind: "start-container", container: lastTarget(container), ...hooks })];
}

/** Lets a paused one go on. */
export function unpauseContainer(up: Up, container: ContainerFate, before: StartConditions): readonly number[] {
  const about = startOf(up, container, before, container.cause);
  return [up.plan.add(about, { kind: "unpause-container", container: lastTarget(container) })];
}

function startOf(up: Up, container: ContainerFate, before: StartConditions, cause: string) {
  const conditions = before.conditions();
  return {
    resource: resourceOf(container),
    cause,
    dependsOn: up.ledger.behindCreations([
      ...up.ledger.after("startable", keyOf(container)),
      ...conditions.dependsOn,
      ...before.hooks,
    ]),
    after: conditions.after,
  };
}
