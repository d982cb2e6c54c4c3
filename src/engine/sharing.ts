/** Which other containers a container uses while both exist: the one list of what joins and mounts. Pure. */
import type { ContainerSpec } from "./types.js";

/** A namespace that is joined, or the volumes that are mounted. */
type SharingKind = "network" | "pid" | "ipc" | "uts" | "volumes";

/** Another container, by the id or name that the spec gives. */
export interface SharedContainer {
  readonly how: SharingKind;
  readonly container: string;
}

/** The part of a spec that names other containers. */
export type SharingSpec = Pick<ContainerSpec, "networkMode" | "pid" | "ipc" | "uts" | "volumesFrom">;

/** Every container that the spec names; one may be named for several reasons. */
export function sharedContainers(spec: SharingSpec): SharedContainer[] {
  const namespaces = { network: spec.networkMode, pid: spec.pid, ipc: spec.ipc, uts: spec.uts };
  return [
    ...(["network", "pid", "ipc", "uts"] as const).flatMap((how): SharedContainer[] => {
      const mode = namespaces[how];
      return mode?.kind === "container" ? [{ how, container: mode.container }] : [];
    }),
    ...(spec.volumesFrom ?? []).map(({ container }): SharedContainer => ({ how: "volumes", container })),
  ];
}

/** The spec with every name of another container replaced. */
export function withSharedContainers<S extends SharingSpec>(spec: S, replace: (container: string) => string): S {
  const joined = <M extends { readonly kind: string }>(mode: M): M =>
    "container" in mode && typeof mode.container === "string" ? { ...mode, container: replace(mode.container) } : mode;
  const { networkMode, pid, ipc, uts, volumesFrom } = spec;
  return {
    ...spec,
    ...(networkMode === undefined ? {} : { networkMode: joined(networkMode) }),
    ...(pid === undefined ? {} : { pid: joined(pid) }),
    ...(ipc === undefined ? {} : { ipc: joined(ipc) }),
    ...(uts === undefined ? {} : { uts: joined(uts) }),
    ...(volumesFrom === undefined
      ? {}
      : { volumesFrom: volumesFrom.map((from) => ({ ...from, container: replace(from.container) })) }),
  };
}
