/** What a fate adds to each part of a plan. Data only. */
import type { ContainerFate } from "../../reconcile/fate.js";
import type { Conditions, Up } from "../context.js";

/** What a container comes after when it starts. Computed when it is asked for: it may add waits to the plan. */
export interface StartConditions {
  readonly conditions: () => Conditions;
  /** Hooks that run before its first start. */
  readonly hooks: readonly number[];
}

/** The parts of a plan in their order; a fate writes what it has to say in each. */
export interface Writer<F extends ContainerFate> {
  /** What is not wanted any more goes. */
  remove?(up: Up, container: F): void;
  /** Whoever holds what is made anew lets it go; dependents first. */
  free?(up: Up, container: F): void;
  /** After networks and volumes. */
  create?(up: Up, container: F): void;
  /** What has to go down goes down when all is made; dependents first. */
  stop?(up: Up, container: F): void;
  /** Everything gets its final name. */
  settle?(up: Up, container: F): void;
  /** Service by service; the operations after which it counts as started. */
  start?(up: Up, container: F, before: StartConditions): readonly number[];
  /** In place of `start`, where nothing is started. */
  tell?(up: Up, container: F): void;
}

/** A part that is written container by container. */
export type Phase = Exclude<keyof Writer<ContainerFate>, "start">;
