/** The plan of `restart`. Pure. */
import { isActive, type Observed } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import {
  hooksOf,
  inReverseOrder,
  knownDependencies,
  resourceOf,
  type Selection,
  select,
  targetOf,
} from "./selection.js";

/** `restart`: dependencies first; services that depend with `restart: true` follow unless told otherwise. */
export function planRestart(
  observed: Observed,
  selection: Selection,
  options: { readonly timeoutMs?: number | undefined; readonly noDependencies?: boolean } = {},
): Plan {
  const plan = new PlanBuilder(observed.project);
  const dependencies = knownDependencies(observed, selection.project);
  const chosen = new Set(select(observed, selection).map(({ service }) => service));
  if (options.noDependencies !== true) {
    for (let grown = true; grown; ) {
      grown = false;
      for (const [service, needs] of dependencies) {
        if (chosen.has(service)) continue;
        if ([...needs].some(([name, { restart }]) => restart === true && chosen.has(name))) {
          chosen.add(service);
          grown = true;
        }
      }
    }
  }
  const containers = observed.containers.filter(({ service, oneOff }) => !oneOff && chosen.has(service));
  const done = new Map<string, number[]>();
  for (const container of inReverseOrder(containers, observed, selection.project).reverse()) {
    const { service } = container;
    const preStop = isActive(container) ? hooksOf(selection.project, service, "pre_stop") : undefined;
    const postStart = hooksOf(selection.project, service, "post_start");
    const needs = [...(dependencies.get(service)?.keys() ?? [])].filter((name) => name !== service);
    const id = plan.add(
      {
        resource: resourceOf(container),
        cause:
          selection.services.length === 0 || selection.services.includes(service)
            ? "restart"
            : "depends on a restarted service",
        dependsOn: needs.flatMap((name) => done.get(name) ?? []),
      },
      {
        kind: "restart-container",
        container: targetOf(container),
        ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
        ...(preStop === undefined ? {} : { preStop }),
        ...(postStart === undefined ? {} : { postStart }),
      },
    );
    done.set(service, [...(done.get(service) ?? []), id]);
  }
  return plan.build();
}
