/** The plan of `down`: from the compose file when there is one, else from labels alone. Pure. */
import type { Project } from "../compose/model.js";
import { LABEL } from "./labels.js";
import { imageName, networkName, type Separator, volumeName } from "./names.js";
import type { Observed, ObservedContainer } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import { orphansOf } from "./reconcile/orphans.js";
import { inReverseOrder, resourceOf, select, targetOf, tellMissing } from "./selection.js";
import { addProviders, addStops } from "./stop.js";

/** What `down` is told besides what is there. */
export interface DownOptions {
  readonly services?: readonly string[];
  readonly project?: Project | undefined;
  readonly volumes?: boolean;
  readonly images?: "local" | "all" | undefined;
  readonly removeOrphans?: boolean;
  readonly ignoreOrphans?: boolean;
  readonly timeoutMs?: number | undefined;
  readonly separator?: Separator;
}

/** Containers (dependents first), then networks, volumes and images. Networks in use elsewhere are told and left. */
export function planDown(observed: Observed, options: DownOptions): Plan {
  const plan = new PlanBuilder(observed.project);
  const { project, services = [] } = options;
  const containers = doomed(observed, options);
  if (project === undefined && services.length > 0 && containers.length === 0) {
    tellMissing(plan, observed, { services });
    return plan.build();
  }
  const stops = addStops(plan, containers, observed, { project, timeoutMs: options.timeoutMs, cause: "down" });
  const removed: number[] = [];
  for (const container of inReverseOrder(containers, observed, project)) {
    const stop = stops.get(container.id);
    removed.push(
      plan.add(
        { resource: resourceOf(container), cause: "down", ...(stop === undefined ? {} : { after: [stop] }) },
        // A pre_stop hook may have failed; the container goes all the same.
        {
          kind: "remove-container",
          container: targetOf(container),
          force: true,
          ...(options.volumes === true ? { volumes: true } : {}),
        },
      ),
    );
  }
  if (project !== undefined) addProviders(plan, { services, project }, "down");
  const partial = services.length > 0;
  const left = observed.containers.filter((container) => !containers.includes(container));
  for (const name of networksOf(observed, project)) {
    const isUsed = left.some((container) =>
      (container.info.spec.networks ?? []).some(({ network }) => network === name),
    );
    if (partial && isUsed) continue;
    plan.add(
      { resource: `network ${shortName(observed, name)}`, cause: "down", after: removed },
      { kind: "remove-network", name, tolerant: true },
    );
  }
  if (options.volumes === true && !partial) {
    for (const name of volumesOf(observed, project)) {
      plan.add(
        { resource: `volume ${name}`, cause: "down --volumes", after: removed },
        { kind: "remove-volume", name, tolerant: true },
      );
    }
  }
  if (options.images !== undefined) {
    for (const image of imagesOf(containers, options)) {
      plan.add(
        { resource: `image ${image}`, cause: `down --rmi ${options.images}`, after: removed },
        { kind: "remove-image", image },
      );
    }
  }
  tellMissing(plan, observed, { services, project });
  if (plan.build().operations.length === 0) {
    plan.warn(`No resource found to remove for project "${observed.project}".`);
  }
  return plan.build();
}

function doomed(observed: Observed, options: DownOptions): ObservedContainer[] {
  const { project, services = [], removeOrphans = false } = options;
  if (project === undefined) {
    return services.length === 0
      ? observed.containers.filter((container) => !container.oneOff || removeOrphans)
      : select(observed, { services });
  }
  const chosen = new Set(select(observed, { services, project }));
  if (services.length > 0) return observed.containers.filter((container) => chosen.has(container));
  const unknown = new Set(orphansOf(project, observed));
  for (const container of observed.containers) {
    if (!unknown.has(container) && !container.oneOff) continue;
    if (removeOrphans) chosen.add(container);
  }
  return observed.containers.filter((container) => chosen.has(container));
}

function networksOf(observed: Observed, project: Project | undefined): string[] {
  const names = new Set<string>();
  for (const network of observed.networks.values()) {
    if (network.labels[LABEL.project] === observed.project) names.add(network.name);
  }
  for (const [key, config] of Object.entries(project?.networks ?? {})) {
    if (project === undefined) continue;
    const name = networkName(project, key, config);
    if (config.external === true) names.delete(name);
  }
  return [...names].sort();
}

function volumesOf(observed: Observed, project: Project | undefined): string[] {
  const names = new Set<string>();
  for (const volume of observed.volumes.values()) {
    if (volume.labels[LABEL.project] === observed.project && !volume.anonymous) names.add(volume.name);
  }
  for (const [key, config] of Object.entries(project?.volumes ?? {})) {
    if (project !== undefined && config.external === true) names.delete(volumeName(project, key, config));
  }
  return [...names].sort();
}

/** `local`: images without a name of their own in the compose file. */
function imagesOf(containers: readonly ObservedContainer[], options: DownOptions): string[] {
  const { project, separator = "-" } = options;
  const images = new Set<string>();
  if (project === undefined) {
    for (const { info } of containers) if (options.images === "all") images.add(info.imageName);
    return [...images].sort();
  }
  for (const [name, config] of Object.entries(project.services)) {
    if (config.provider !== undefined) continue;
    if (options.services !== undefined && options.services.length > 0 && !options.services.includes(name)) continue;
    if (options.images === "local" && config.image !== undefined) continue;
    images.add(imageName(project.name, name, config, separator));
  }
  return [...images].sort();
}

function shortName(observed: Observed, name: string): string {
  return observed.networks.get(name)?.labels[LABEL.network] ?? name;
}
