/** What the parts of one `up` plan share while it is written: the decisions, and which operation brings about what. */
import { inDependencyOrder } from "../dependency-order.js";
import type { ObservedContainer } from "../observe.js";
import type { PlanBuilder } from "../plan.js";
import type { Reconciliation } from "../reconcile/context.js";
import type { ContainerDecision, Decisions } from "../reconcile/decision.js";
import type { NetworkDecision } from "../reconcile/networks.js";
import type { VolumeDecision } from "../reconcile/volumes.js";

/** The decisions of the reconcilers. */
export interface UpDecisions {
  readonly networks: readonly NetworkDecision[];
  readonly volumes: readonly VolumeDecision[];
  readonly decisions: Decisions;
}

/** One plan under construction. Numbers are ids of operations. */
export interface UpDraft extends UpDecisions {
  readonly rec: Reconciliation;
  readonly plan: PlanBuilder;
  /** Services, dependencies first. */
  readonly order: readonly string[];
  /** Container id → the operation after which it is gone. */
  readonly gone: Map<string, number>;
  /** Container id → its stop operation. */
  readonly stopped: Map<string, number>;
  /** Final name → the operations after which it may start. */
  readonly startable: Map<string, number[]>;
  readonly networkReady: Map<string, number>;
  readonly volumeReady: Map<string, number>;
  readonly created: Map<string, number>;
  /** Service → operations after which it counts as started. */
  readonly started: Map<string, number[]>;
  readonly waits: Map<string, number>;
  /** Operations that come after every creation: what waits for one of them need not wait for the creations itself. */
  readonly afterCreation: Set<number>;
  /** Ids of containers that are stopped and started again though their configuration is right, and why. */
  readonly bounced: Map<string, string>;
}

/** What must have succeeded, and what must only have ended, before something may start. */
export interface Conditions {
  readonly dependsOn: number[];
  readonly after: number[];
}

/** An empty plan for these decisions. */
export function newDraft(rec: Reconciliation, decided: UpDecisions): UpDraft {
  return {
    ...decided,
    rec,
    plan: rec.plan,
    order: inDependencyOrder(rec.project.services),
    gone: new Map(),
    stopped: new Map(),
    startable: new Map(),
    networkReady: new Map(),
    volumeReady: new Map(),
    created: new Map(),
    started: new Map(),
    waits: new Map(),
    afterCreation: new Set(),
    bounced: new Map(),
  };
}

/** `waits`, and every creation: when one of them fails nothing is started, and nothing that runs is stopped for a replacement. */
export function afterCreation(draft: UpDraft, waits: readonly number[]): number[] {
  return waits.some((id) => draft.afterCreation.has(id)) ? [...waits] : [...waits, ...draft.created.values()];
}

/** The name of a container in plans: `container web-1`. */
export function label(service: string, number: number): string {
  return `container ${service}-${number}`;
}

/** Every decision with its service, dependencies first. */
export function allDecisions(draft: UpDraft): [string, ContainerDecision][] {
  return draft.order.flatMap((service) =>
    (draft.decisions.get(service) ?? []).map((decision): [string, ContainerDecision] => [service, decision]),
  );
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
