/** The plan of `start`. Pure. */

import { noSuchService } from "../compose/no-such-service.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import { awaitDependency } from "./conditions.js";
import { scaleOf } from "./names.js";
import { isActive, type Observed } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import { hooksOf, knownDependencies, resourceOf, type Selection, targetOf } from "./selection.js";

/** `start`: what exists and does not run, dependencies first. TSC_NO_CONTAINER when a service that is named has none. */
export function planStart(observed: Observed, selection: Selection, options: { readonly wait?: boolean } = {}): Plan {
  const plan = new PlanBuilder(observed.project);
  const { project, services } = selection;
  const wanted = new Set(services.length > 0 ? services : Object.keys(project?.services ?? {}));
  const dependencies = knownDependencies(observed, project);
  const containers = observed.containers.filter((container) => !container.oneOff);
  const started = new Map<string, number[]>();
  const visit = (service: string): void => {
    if (started.has(service)) return;
    const ids: number[] = [];
    started.set(service, ids);
    const own = containers.filter((container) => container.service === service);
    const config = project?.services[service];
    if (
      own.length === 0 &&
      wanted.has(service) &&
      (config === undefined || (scaleOf(config) > 0 && config.provider === undefined))
    ) {
      throw new TscError("TSC_NO_CONTAINER", `service "${service}" has no container to start`, {
        kind: "not-found",
        hint: `make it with: tscompose create ${service}`,
      });
    }
    // a paused one too: that it cannot be started is the engine's word, as it is docker's
    const idle = own.filter((container) => !isActive(container) || container.info.state === "paused");
    const dependsOn: number[] = [];
    const after: number[] = [];
    for (const [name, dependency] of [...(dependencies.get(service) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const others = containers.filter((container) => container.service === name);
      if (others.length === 0) continue;
      visit(name);
      if (idle.length === 0) continue;
      const starts = started.get(name) ?? [];
      const needs = awaitDependency(plan, { service, name, dependency, containers: others, starts });
      (dependency.required ? dependsOn : after).push(...needs);
    }
    for (const container of idle) {
      const postStart = hooksOf(project, service, "post_start");
      ids.push(
        plan.add(
          { resource: resourceOf(container), cause: `is ${container.info.state}`, dependsOn, after },
          {
            kind: "start-container",
            container: targetOf(container),
            ...given({ postStart }),
          },
        ),
      );
    }
  };
  const names = wanted.size > 0 ? [...wanted] : [...new Set(containers.map(({ service }) => service))];
  for (const service of services) {
    if (project !== undefined && project.services[service] === undefined) throw noSuchService(service);
  }
  for (const service of names.sort()) visit(service);
  if (options.wait === true) {
    for (const service of names) {
      const own = containers.filter((container) => container.service === service);
      if (own.length === 0) continue;
      plan.add(
        { resource: `service ${service}`, cause: "--wait", dependsOn: started.get(service) ?? [] },
        {
          kind: "wait-service",
          service,
          containers: own.map(targetOf),
          condition: "service_running_or_healthy",
          required: true,
        },
      );
    }
  }
  return plan.build();
}
