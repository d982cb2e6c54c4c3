/** Small walks the rules share. */
import type { Port, Service } from "../model.js";

/** Entries in the order of their keys. */
export function entries<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** How many containers a service gets. */
export function replicasOf(service: {
  readonly scale?: number;
  readonly deploy?: { readonly replicas?: number };
}): number {
  return service.scale ?? service.deploy?.replicas ?? 1;
}

/** The ports that are published in fact: who shares the host's network, or has none, publishes nothing. */
export function publishedPorts(service: Pick<Service, "ports" | "network_mode">): readonly Port[] {
  return service.network_mode === "host" || service.network_mode === "none" ? [] : (service.ports ?? []);
}

/** First and last of `8000` or `8000-8010`; undefined when it is no port. */
export function portRange(text: string | undefined): readonly [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text ?? "");
  if (match === null) return undefined;
  const first = Number(match[1]);
  return [first, Number(match[2] ?? first)];
}
