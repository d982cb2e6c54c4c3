/**
 * Plans of the commands that act on containers that exist: stop, start, restart, kill, rm, pause, unpause. They work from labels
 * when there is no compose file. Pure.
 */
import type { Dependency, Project } from "../compose/model.js";
import { TscError } from "../lib/errors.js";
import { dependenciesOf, parseDependsOnLabel } from "./graph.js";
import { LABEL } from "./labels.js";
import { scaleOf } from "./names.js";
import { isActive, type Observed, type ObservedContainer } from "./observe.js";
import { type ContainerTarget, type HookRun, type Plan, PlanBuilder } from "./plan.js";

export interface Selection {
  /** Only these services; empty means all. TSC_COMPOSE_SERVICE_UNKNOWN for one that neither the project nor a container knows. */
  readonly services: readonly string[];
  readonly project?: Project | undefined;
  readonly oneOffs?: boolean;
}

/** Containers of the selected services. */
export function select(observed: Observed, selection: Selection): ObservedContainer[] {
  const { project } = selection;
  for (const service of selection.services) {
    const known =
      project?.services[service] !== undefined ||
      project?.disabledServices[service] !== undefined ||
      (project === undefined && observed.containers.some((container) => container.service === service));
    if (!known) throw noSuchService(service);
  }
  return observed.containers.filter((container) => {
    if (container.oneOff && selection.oneOffs !== true) return false;
    if (selection.services.length > 0) return selection.services.includes(container.service);
    return project === undefined || project.services[container.service] !== undefined;
  });
}

export function noSuchService(service: string): TscError {
  return new TscError("TSC_COMPOSE_SERVICE_UNKNOWN", `no such service: ${service}`, { kind: "not-found" });
}

/** What each service depends on: from the compose file, else from the labels of its containers. */
export function knownDependencies(
  observed: Observed,
  project: Project | undefined,
): ReadonlyMap<string, ReadonlyMap<string, Dependency>> {
  const known = new Map<string, ReadonlyMap<string, Dependency>>();
  for (const { service, info } of observed.containers) {
    if (!known.has(service)) known.set(service, parseDependsOnLabel(info.labels[LABEL.dependsOn]));
  }
  for (const [name, config] of Object.entries(project?.services ?? {})) {
    known.set(name, dependenciesOf(config, project?.services ?? {}));
  }
  return known;
}

export function targetOf(container: ObservedContainer): ContainerTarget {
  return { name: container.name, id: container.id, service: container.service };
}

export function resourceOf(container: ObservedContainer): string {
  return container.oneOff || container.number === 0
    ? `container ${container.name}`
    : `container ${container.service}-${container.number}`;
}

export function hooksOf(
  project: Project | undefined,
  service: string,
  kind: "pre_stop" | "post_start",
): HookRun | undefined {
  const commands = project?.services[service]?.[kind];
  return commands === undefined || commands.length === 0 ? undefined : { service, commands };
}

/** Services, dependents before dependencies. */
export function inReverseOrder(
  containers: readonly ObservedContainer[],
  observed: Observed,
  project: Project | undefined,
): ObservedContainer[] {
  const dependencies = knownDependencies(observed, project);
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (service: string): void => {
    if (seen.has(service)) return;
    seen.add(service);
    for (const name of [...(dependencies.get(service)?.keys() ?? [])].sort()) visit(name);
    order.push(service);
  };
  for (const service of [...new Set(containers.map((container) => container.service))].sort()) visit(service);
  const position = new Map(order.map((service, index) => [service, index]));
  return [...containers].sort(
    (a, b) =>
      (position.get(b.service) ?? 0) - (position.get(a.service) ?? 0) ||
      b.number - a.number ||
      (a.name < b.name ? -1 : 1),
  );
}

/** Adds stops in reverse dependency order; stop ids by container id. */
export function addStops(
  plan: PlanBuilder,
  containers: readonly ObservedContainer[],
  observed: Observed,
  options: {
    readonly project: Project | undefined;
    readonly timeoutMs: number | undefined;
    readonly cause: string;
  },
): ReadonlyMap<string, number> {
  const dependencies = knownDependencies(observed, options.project);
  const stops = new Map<string, number>();
  const stopsOf = new Map<string, number[]>();
  for (const container of inReverseOrder(containers, observed, options.project)) {
    if (!isActive(container)) continue;
    const dependents = [...dependencies].filter(([, needs]) => needs.has(container.service)).map(([name]) => name);
    const preStop = container.oneOff ? undefined : hooksOf(options.project, container.service, "pre_stop");
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
        ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
        ...(preStop === undefined ? {} : { preStop }),
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
  addStops(plan, containers, observed, { project: selection.project, timeoutMs: options.timeoutMs, cause: "stop" });
  addProviders(plan, selection, "stop");
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
    const idle = own.filter((container) => !isActive(container));
    const dependsOn: number[] = [];
    const after: number[] = [];
    for (const [name, dependency] of [...(dependencies.get(service) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const others = containers.filter((container) => container.service === name);
      if (others.length === 0) continue;
      visit(name);
      if (idle.length === 0) continue;
      const needs = [...(started.get(name) ?? [])];
      if (dependency.condition !== "service_started") {
        needs.push(
          plan.add(
            { resource: `service ${name}`, cause: `${service} depends on it`, dependsOn: started.get(name) ?? [] },
            {
              kind: "wait-service",
              service: name,
              containers: others.map(targetOf),
              condition: dependency.condition,
              required: dependency.required,
            },
          ),
        );
      }
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
            ...(postStart === undefined ? {} : { postStart }),
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
