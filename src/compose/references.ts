/**
 * Which other services a service points at, and how: the one list that loading, graph, consistency, plan and builds read. `userns_mode`
 * names no service (limits.ts refuses it); hooks run with what their service has and point at nothing of their own. Pure.
 */
import type { Path } from "./tree.js";

/** Attributes that may name another service's namespace. */
const NAMESPACES = ["network_mode", "ipc", "pid", "uts", "cgroup"] as const;

/** The attribute that points. `build` is a context of its build. */
export type ReferenceKind = "depends_on" | "links" | (typeof NAMESPACES)[number] | "volumes_from" | "build";

/** One pointer to another service, known or not. */
export interface ServiceReference {
  readonly how: ReferenceKind;
  readonly service: string;
  /** Where it stands, below the pointing service. */
  readonly path: Path;
}

/** What is read of a service: of the model or of the tree that it is made from. */
export interface PointingService {
  readonly depends_on?: unknown;
  readonly links?: unknown;
  readonly network_mode?: unknown;
  readonly ipc?: unknown;
  readonly pid?: unknown;
  readonly uts?: unknown;
  readonly cgroup?: unknown;
  readonly volumes_from?: unknown;
  readonly build?: unknown;
}

/** Every reference: what is written as a dependency first, then what implies one, then builds. */
export function serviceReferences(service: PointingService): ServiceReference[] {
  return [
    ...Object.keys(mapOf(service.depends_on)).map((name) => reference("depends_on", name, [name])),
    ...textsOf(service.links).map((link, i) => {
      const [name = "", , ...more] = link.split(":");
      // with more than an alias it is the name of no service, and is told as a whole
      return reference("links", more.length > 0 ? link : name, [i]);
    }),
    ...NAMESPACES.flatMap((key) => {
      const mode = service[key];
      const name = typeof mode === "string" ? namedService(mode) : undefined;
      return name === undefined ? [] : [reference(key, name, [])];
    }),
    ...textsOf(service.volumes_from).flatMap((from, i) =>
      from.startsWith("container:") ? [] : [reference("volumes_from", from.split(":")[0] ?? "", [i])],
    ),
    ...Object.entries(mapOf(mapOf(service.build)["additional_contexts"])).flatMap(([context, from]) => {
      const name = typeof from === "string" ? namedService(from) : undefined;
      return name === undefined ? [] : [reference("build", name, ["additional_contexts", context])];
    }),
  ];
}

/** `db` of `service:db`. */
export function namedService(text: string | undefined): string | undefined {
  return text?.startsWith("service:") === true ? text.slice("service:".length) : undefined;
}

/** True where the container is bound to one container of the other service: made after it, and anew with it. */
export function isShared({ how }: ServiceReference): boolean {
  return how === "volumes_from" || isNamespace(how);
}

/** True for the attributes that share a namespace. */
export function isNamespace(how: ReferenceKind): boolean {
  return NAMESPACES.some((key) => key === how);
}

/** Whether it means a dependency that nobody wrote, and that one's `restart`: what only mounts the other's volumes stays up. */
export function impliedDependency({ how }: ServiceReference): { readonly restart: boolean } | undefined {
  return how === "depends_on" || how === "build" ? undefined : { restart: how !== "volumes_from" };
}

function reference(how: ReferenceKind, service: string, below: Path): ServiceReference {
  return { how, service, path: [how, ...below] };
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
