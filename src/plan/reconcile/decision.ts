/** What becomes of a container, and what deciding it for one service needs to know. Data only. */
import type { Service } from "../../compose/model.js";
import type { ContainerSpec } from "../../engine/types.js";
import type { ObservedContainer } from "../observe.js";
import type { ContainerTarget } from "../plan.js";
import type { Reconciliation } from "./context.js";
import type { PortChooser } from "./port-chooser.js";

/** What every decision says. */
export interface DecisionBase {
  readonly target: ContainerTarget;
  readonly number: number;
  readonly cause: string;
}
/** What becomes of one container, and why. */
export type ContainerDecision =
  | (DecisionBase & { readonly action: "create"; readonly spec: ContainerSpec })
  | (DecisionBase & { readonly action: "recreate"; readonly spec: ContainerSpec; readonly observed: ObservedContainer })
  | (DecisionBase & { readonly action: "start" | "keep" | "unpause" | "remove"; readonly observed: ObservedContainer });

/** Decisions by service. */
export type Decisions = ReadonlyMap<string, readonly ContainerDecision[]>;

/** One service with everything decided before it. */
export interface ServiceContext {
  readonly rec: Reconciliation;
  readonly service: string;
  readonly config: Service;
  readonly scale: number;
  readonly decisions: Decisions;
  readonly replacedVolumes: ReadonlySet<string>;
  readonly ports: PortChooser;
}
