/** The plan of `stop`, and the stops in other plans. Pure. */
import type { Project } from "../compose/model.js";
import { given } from "../lib/given.js";
import { isActive, type Observed, type ObservedContainer } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import {
  hooksOf,
  inReverseOrder,
  knownDependencies,
  resourceOf,
  type Selection,
  select,
  targetOf,
  tellMissing,
} from "./selection.js";

/** Adds stops in reverse dependency order; stop ids by container id. */
export function addStops(
  plan: PlanBuilder,
  containers: readonly ObservedContainer[],
  observed: Observed,
  options: {
    readonly project: Project | undefined;
    readonly timeoutMs: number | undefined;
    readonly cause: string;
    /** Also containers that do not run: told as stopped. */
    readonly all?: boolean;
  },
): ReadonlyMap<string, number> {
  const dependencies = knownDependencies(observed, options.project);
  const stops = new Map<string, number>();
  const stopsOf = new Map<string, number[]>();
  for (const container of inReverseOrder(containers, observed, options.project)) {
    const runs = isActive(container);
    if (!runs && options.all !== true) continue;
    const dependents = [...dependencies].filter(([, needs]) => needs.has(container.service)).map(([name]) => name);
    const preStop = container.oneOff || !runs ? undefined : hooksOf(options.project, container.service, "pre_stop");
    const id = plan.add(
      {
        resource: resourceOf(container),
        cause: options.cause,
        dependsOn: [],
        after: dependents.flatMap((name) => stopsOf.get(name) ?? []),
      },
      {
        kind: "stop-container",
        container: targetOf(container),
        ...given({ timeoutMs: options.timeoutMs, preStop }),
      },
    );
    stops.set(container.id, id);
    stopsOf.set(container.service, [...(stopsOf.get(container.service) ?? []), id]);
  }
  return stops;
}

/** `stop`. */
export function planStop(
  observed: Observed,
  selection: Selection,
  options: { readonly timeoutMs?: number | undefined } = {},
): Plan {
  const plan = new PlanBuilder(observed.project);
  const containers = select(observed, selection);
  const { project } = selection;
  addStops(plan, containers, observed, { project, timeoutMs: options.timeoutMs, cause: "stop", all: true });
  addProviders(plan, selection, "stop");
  tellMissing(plan, observed, selection);
  return plan.build();
}

/** Providers are told as well, by their service. */
export function addProviders(plan: PlanBuilder, selection: Selection, action: "stop" | "down"): void {
  for (const [service, config] of Object.entries(selection.project?.services ?? {})) {
    if (config.provider === undefined) continue;
    if (selection.services.length > 0 && !selection.services.includes(service)) continue;
    plan.add(
      { resource: `service ${service}`, cause: action },
      { kind: "run-provider", service, provider: config.provider, action, dependents: [] },
    );
  }
}
