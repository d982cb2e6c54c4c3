/** The plan of `restart`. Pure. */
import { noSuchService } from "../compose/no-such-service.js";
import { given } from "../lib/given.js";
import { awaitDependency } from "./conditions.js";
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

/** What a restart comes after: what must have succeeded, and what must have ended. */
interface Conditions {
  readonly dependsOn: number[];
  readonly after: number[];
}

/** `restart`: dependencies first, and until they are as `depends_on` asks where it says `restart: true`; services that depend with `restart: true` follow unless told otherwise. */
export function planRestart(
  observed: Observed,
  selection: Selection,
  options: { readonly timeoutMs?: number | undefined; readonly noDependencies?: boolean } = {},
): Plan {
  const plan = new PlanBuilder(observed.project);
  const dependencies = knownDependencies(observed, selection.project);
  for (const service of selection.project === undefined ? selection.services : [])
    if (!observed.containers.some((container) => container.service === service)) throw noSuchService(service);
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
  const ordered = inReverseOrder(containers, observed, selection.project).reverse();
  const restarted = new Map<string, number[]>();
  /** By service: replicas come after the same waits. */
  const conditions = new Map<string, Conditions>();
  const conditionsOf = (service: string): Conditions => {
    const known = conditions.get(service);
    if (known !== undefined) return known;
    const found: Conditions = { dependsOn: [], after: [] };
    for (const [name, dependency] of dependencies.get(service) ?? []) {
      const starts = restarted.get(name);
      if (name === service || starts === undefined) continue;
      // a dependency without `restart: true` gives an order only, as in the reference
      const promise = dependency.restart ? dependency : { ...dependency, condition: "service_started" as const };
      const own = containers.filter((container) => container.service === name);
      const needs = awaitDependency(plan, { service, name, dependency: promise, containers: own, starts });
      (dependency.required ? found.dependsOn : found.after).push(...needs);
    }
    conditions.set(service, found);
    return found;
  };
  for (const container of ordered) {
    const { service } = container;
    const preStop = isActive(container) ? hooksOf(selection.project, service, "pre_stop") : undefined;
    const postStart = hooksOf(selection.project, service, "post_start");
    const id = plan.add(
      {
        resource: resourceOf(container),
        cause:
          selection.services.length === 0 || selection.services.includes(service)
            ? "restart"
            : "depends on a restarted service",
        ...conditionsOf(service),
      },
      {
        kind: "restart-container",
        container: targetOf(container),
        ...given({ timeoutMs: options.timeoutMs, preStop, postStart }),
      },
    );
    restarted.set(service, [...(restarted.get(service) ?? []), id]);
  }
  return plan.build();
}
