/** Plans of the commands that do one thing to each container that exists: kill, pause, unpause, rm. Pure. */
import { isActive, type Observed } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import { resourceOf, type Selection, select, targetOf, tellMissing } from "./selection.js";
import { addStops } from "./stop.js";

/** `kill`: every running container at once, one-offs too when no service is named. */
export function planKill(observed: Observed, selection: Selection, signal: string): Plan {
  const plan = new PlanBuilder(observed.project);
  for (const container of select(observed, { ...selection, oneOffs: true })) {
    if (!isActive(container)) continue;
    plan.add(
      { resource: resourceOf(container), cause: `kill ${signal}` },
      { kind: "kill-container", container: targetOf(container), signal },
    );
  }
  return plan.build();
}

/** `pause` and `unpause`. Pausing twice is the engine's error (`already paused`). */
export function planPause(observed: Observed, selection: Selection, kind: "pause" | "unpause"): Plan {
  const plan = new PlanBuilder(observed.project);
  for (const container of select(observed, selection)) {
    if (!isActive(container)) continue;
    plan.add(
      { resource: resourceOf(container), cause: kind },
      { kind: `${kind}-container`, container: targetOf(container) },
    );
  }
  tellMissing(plan, observed, selection);
  return plan.build();
}

/** `rm`: containers that do not run; with `stop`, all. */
export function planRemove(
  observed: Observed,
  selection: Selection,
  options: { readonly stop?: boolean; readonly volumes?: boolean },
): Plan {
  const plan = new PlanBuilder(observed.project);
  const containers = select(observed, { ...selection, oneOffs: true });
  const stops =
    options.stop === true
      ? addStops(plan, containers, observed, { project: selection.project, timeoutMs: undefined, cause: "rm --stop" })
      : new Map<string, number>();
  for (const container of containers) {
    const stop = stops.get(container.id);
    if (stop === undefined && isActive(container)) continue;
    plan.add(
      { resource: resourceOf(container), cause: "rm", dependsOn: stop === undefined ? [] : [stop] },
      {
        kind: "remove-container",
        container: targetOf(container),
        ...(options.volumes === true ? { volumes: true } : {}),
      },
    );
  }
  return plan.build();
}
