/** What becomes of a container, and why. Data only. */
import type { ContainerSpec } from "../../engine/types.js";
import type { ObservedContainer } from "../observe.js";
import type { ContainerTarget } from "../plan.js";

interface About {
  readonly service: string;
  /** The name it has in the end. */
  readonly target: ContainerTarget;
  readonly number: number;
  readonly cause: string;
}
interface Existing extends About {
  readonly observed: ObservedContainer;
}

/** Is made. */
export interface New extends About {
  readonly fate: "new";
  readonly spec: ContainerSpec;
}
/** Another one takes its place. */
export interface Replaced extends Existing {
  readonly fate: "replaced";
  readonly spec: ContainerSpec;
  /** Goes before the new one is made: it holds a network or a volume that is made anew. */
  readonly early: boolean;
}
/** Stays as it is. */
export interface Kept extends Existing {
  readonly fate: "kept";
}
/** Is right and does not run. */
export interface Started extends Existing {
  readonly fate: "started";
  readonly from: "paused" | "stopped";
}
/** What takes a container down and up again though it is right. */
export type BouncedBy = { readonly network: string } | { readonly dependency: string };
/** Is right and goes down and up again. */
export interface Bounced extends Existing {
  readonly fate: "bounced";
  readonly by: BouncedBy;
}
/** Is more than the scale. */
export interface Surplus extends Existing {
  readonly fate: "surplus";
}
/** No service of the project accounts for it. */
export interface Orphan extends Existing {
  readonly fate: "orphan";
}

/** What a container's own configuration and state ask for. */
export type OwnFate = New | Replaced | Kept | Started | Surplus;
/** What becomes of it when its neighbours are considered too. */
export type ContainerFate = OwnFate | Bounced | Orphan;

/** Own fates by service. */
export type OwnFates = ReadonlyMap<string, readonly OwnFate[]>;

/** True when the container is another one afterwards. */
export function isMade({ fate }: ContainerFate): boolean {
  return fate === "new" || fate === "replaced";
}
