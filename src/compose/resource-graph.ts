/** The graph of a project's resources and what they need: plain data, cycles reported as a path. Decides no order of work. */
import { given } from "../lib/given.js";
import type { DependencyCondition, Project, Service } from "./model.js";
import { serviceReferences } from "./references.js";

/** What a graph consists of. */
export const RESOURCE_KINDS = ["service", "network", "volume", "secret", "config", "model"] as const;
/** A section of a project, in the singular. */
export type ResourceKind = (typeof RESOURCE_KINDS)[number];
/** A resource that is declared or used; one that is used without being declared is a node all the same. */
export interface GraphNode {
  /** `service:web`, `network:default`. */
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  /** Exists outside the project. */
  readonly external?: true;
}
/** `from` needs `to`. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly reason: "depends_on" | "network" | "volume" | "secret" | "config" | "model" | "build";
  readonly condition?: DependencyCondition;
  readonly required?: boolean;
}
/** What a project consists of, and what of it needs what. */
export interface DependencyGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Names of services along the first cycle found, the first repeated at the end; absent when there is none. */
  readonly cycle?: readonly string[];
}

type Resources = Pick<Project, "services" | "networks" | "volumes" | "secrets" | "configs" | "models">;

/** The graph of everything the active services use and everything that is declared. */
export function dependencyGraph(project: Resources): DependencyGraph {
  const nodes = new Map<string, GraphNode>();
  const node = (kind: ResourceKind, name: string): string => {
    const id = `${kind}:${name}`;
    if (!nodes.has(id)) nodes.set(id, { id, kind, name });
    return id;
  };
  for (const name of Object.keys(project.services)) node("service", name);
  for (const name of Object.keys(project.networks)) node("network", name);
  for (const name of Object.keys(project.volumes)) node("volume", name);
  for (const name of Object.keys(project.secrets)) node("secret", name);
  for (const name of Object.keys(project.configs)) node("config", name);
  for (const name of Object.keys(project.models)) node("model", name);
  for (const section of ["network", "volume", "secret", "config"] as const) {
    for (const [name, { external }] of Object.entries<{ readonly external?: boolean }>(project[`${section}s`])) {
      const id = `${section}:${name}`;
      if (external === true) nodes.set(id, { id, kind: section, name, external });
    }
  }
  const edges = Object.entries(project.services).flatMap(([name, service]) => edgesOf(name, service, node));
  const cycle = dependencyCycle(project.services);
  return { nodes: [...nodes.values()], edges, ...given({ cycle }) };
}

function edgesOf(name: string, service: Service, node: (kind: ResourceKind, name: string) => string): GraphEdge[] {
  const from = node("service", name);
  const edges: GraphEdge[] = [];
  for (const [other, { condition, required }] of Object.entries(service.depends_on ?? {})) {
    edges.push({ from, to: node("service", other), reason: "depends_on", condition, required });
  }
  for (const { how, service: other } of serviceReferences(service)) {
    if (how === "build") edges.push({ from, to: node("service", other), reason: "build" });
  }
  for (const network of Object.keys(service.networks ?? {}))
    edges.push({ from, to: node("network", network), reason: "network" });
  for (const volume of service.volumes ?? []) {
    if (volume.type === "volume" && volume.source !== undefined)
      edges.push({ from, to: node("volume", volume.source), reason: "volume" });
  }
  for (const secret of [...(service.secrets ?? []), ...(service.build?.secrets ?? [])]) {
    if (secret.source !== undefined) edges.push({ from, to: node("secret", secret.source), reason: "secret" });
  }
  for (const config of service.configs ?? []) {
    if (config.source !== undefined) edges.push({ from, to: node("config", config.source), reason: "config" });
  }
  for (const model of Object.keys(service.models ?? {}))
    edges.push({ from, to: node("model", model), reason: "model" });
  return edges;
}

/** The first dependency cycle among services as a path `a, b, a`, or undefined. */
export function dependencyCycle(services: Readonly<Record<string, Service>>): string[] | undefined {
  const done = new Set<string>();
  for (const start of Object.keys(services).sort()) {
    const cycle = cycleFrom(start, services, done);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Depth-first with an explicit stack: chains of thousands of services must not overflow. */
function cycleFrom(
  start: string,
  services: Readonly<Record<string, Service>>,
  done: Set<string>,
): string[] | undefined {
  const path: { name: string; rest: string[] }[] = [];
  const onPath = new Set<string>();
  const push = (name: string): void => {
    onPath.add(name);
    path.push({ name, rest: Object.keys(services[name]?.depends_on ?? {}) });
  };
  if (!done.has(start)) push(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.rest.shift();
    if (next === undefined) {
      done.add(top.name);
      onPath.delete(top.name);
      path.pop();
    } else if (onPath.has(next)) {
      const names = path.map((step) => step.name);
      return [...names.slice(names.indexOf(next)), next];
    } else if (!done.has(next) && services[next] !== undefined) push(next);
  }
  return undefined;
}
