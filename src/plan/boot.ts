/** The plan of `system boot` for one project: what its restart policies bring back after a boot of the machine. Pure. */
import type { Observed, ObservedContainer } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import { knownDependencies, resourceOf, targetOf } from "./selection.js";

/**
 * Starts the containers that wait for it, what others depend on first; nothing is waited for to be healthy and one that fails keeps no
 * other back, as when docker starts its daemon. The compose file is not needed: it may have changed, or be gone.
 */
export function planBoot(observed: Observed): Plan {
  const plan = new PlanBuilder(observed.project);
  const dependencies = knownDependencies(observed, undefined);
  const waiting = observed.containers.filter(({ info }) => info.awaitsBoot === true);
  const started = new Map<string, number[]>();
  const visit = (service: string): readonly number[] => {
    const known = started.get(service);
    if (known !== undefined) return known;
    const ids: number[] = [];
    // before its dependencies are looked at: labels that go in a circle end here
    started.set(service, ids);
    const after = [...(dependencies.get(service)?.keys() ?? [])].sort().flatMap(visit);
    for (const container of waiting.filter((one) => one.service === service)) ids.push(start(container, after));
    return ids;
  };
  const start = (container: ObservedContainer, after: readonly number[]): number =>
    plan.add(
      { resource: resourceOf(container), cause: `restart is ${container.info.spec.restart?.policy ?? "no"}`, after },
      { kind: "start-container", container: targetOf(container) },
    );
  for (const service of [...new Set(waiting.map((container) => container.service))].sort()) visit(service);
  return plan.build();
}
