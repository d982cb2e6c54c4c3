/** What the writers of one `up` plan share: what was decided, and what they remember. */
import type { ObservedContainer } from "../observe.js";
import type { PlanBuilder } from "../plan.js";
import type { Reconciliation } from "../reconcile/context.js";
import type { ContainerFate } from "../reconcile/fate.js";
import type { NetworkDecision } from "../reconcile/networks.js";
import type { VolumeDecision } from "../reconcile/volumes.js";
import type { Ledger } from "./ledger.js";

/** One plan while it is written. */
export interface Up {
  readonly rec: Reconciliation;
  readonly plan: PlanBuilder;
  readonly networks: readonly NetworkDecision[];
  readonly volumes: readonly VolumeDecision[];
  /** Services, dependencies first. */
  readonly order: readonly string[];
  /** Orphans, then by service in that order. */
  readonly fates: readonly ContainerFate[];
  readonly fatesByService: ReadonlyMap<string, readonly ContainerFate[]>;
  readonly ledger: Ledger;
}

/** What must have succeeded, and what must only have ended, before something may start. */
export interface Conditions {
  readonly dependsOn: readonly number[];
  readonly after: readonly number[];
}

/** Its key in the ledger: an interrupted replacement has another name than it will have. */
export function keyOf(container: ContainerFate): string {
  return container.fate === "new" ? container.target.name : container.observed.id;
}

/** What plans call it: `container web-1`. */
export function resourceOf({ fate, service, number, target }: ContainerFate): string {
  return fate === "orphan" ? `container ${target.name}` : `container ${service}-${number}`;
}

/** The container that is there in the end: one that is made has no id yet. */
export function lastTarget({ fate, target, service }: ContainerFate): ContainerFate["target"] {
  return fate === "new" || fate === "replaced" ? { name: target.name, service } : target;
}

/** The containers that a service has in the end. */
export function liveOf(up: Up, service: string): ContainerFate[] {
  return (up.fatesByService.get(service) ?? []).filter(({ fate }) => fate !== "surplus" && fate !== "orphan");
}

/** Networks that a container is on, or would be if it ran. */
export function attachedNetworks({ info }: ObservedContainer): string[] {
  return [
    ...new Set([
      ...info.networks.map(({ network }) => network),
      ...(info.spec.networks ?? []).map(({ network }) => network),
    ]),
  ];
}
