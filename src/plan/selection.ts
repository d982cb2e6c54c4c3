/** Which containers a command means, in which order, and what plans call them; from labels when there is no compose file. Pure. */
import type { Dependency, Project } from "../compose/model.js";
import { noSuchService } from "../compose/no-such-service.js";
import { dependenciesOf, parseDependsOnLabel } from "./dependency-order.js";
import { LABEL } from "./labels.js";
import type { Observed, ObservedContainer } from "./observe.js";
import type { ContainerTarget, HookRun, PlanBuilder } from "./plan.js";

/** Which containers a command means. */
export interface Selection {
  /** Only these services; empty means all. TSC_COMPOSE_SERVICE_UNKNOWN for one that the project does not know. */
  readonly services: readonly string[];
  readonly project?: Project | undefined;
  readonly oneOffs?: boolean;
}

/** Containers of the selected services. */
export function select(observed: Observed, selection: Selection): ObservedContainer[] {
  const { project } = selection;
  for (const service of selection.services) {
    if (project === undefined) continue;
    if (project.services[service] === undefined && project.disabledServices[service] === undefined)
      throw noSuchService(service);
  }
  return observed.containers.filter((container) => {
    if (container.oneOff && selection.oneOffs !== true) return false;
    if (selection.services.length > 0) return selection.services.includes(container.service);
    return project === undefined || project.services[container.service] !== undefined;
  });
}

/** Warns of services that have no container: without a compose file a wrong name looks like one whose containers are gone. */
export function tellMissing(plan: PlanBuilder, observed: Observed, { services, project }: Selection): void {
  if (project !== undefined) return;
  for (const service of services) {
    if (observed.containers.some((container) => container.service === service)) continue;
    plan.warn(`service "${service}" has no container in project "${observed.project}"`);
  }
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

/** The container as plans name it. */
export function targetOf(container: ObservedContainer): ContainerTarget {
  return { name: container.name, id: container.id, service: container.service };
}

/** `container web-1`, or the name of a one-off. */
export function resourceOf(container: ObservedContainer): string {
  return container.oneOff || container.number === 0
    ? `container ${container.name}`
    : `container ${container.service}-${container.number}`;
}

/** The hooks of a service; undefined without any. */
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
