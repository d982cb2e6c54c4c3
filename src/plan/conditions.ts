/** Waiting for what a dependency promises, for the verbs that work on containers that exist. Pure. */
import type { Dependency } from "../compose/model.js";
import type { ObservedContainer } from "./observe.js";
import type { PlanBuilder } from "./plan.js";
import { targetOf } from "./selection.js";

/** What a dependency of `service` is and what of it is under way. */
export interface PendingDependency {
  readonly service: string;
  readonly name: string;
  readonly dependency: Dependency;
  readonly containers: readonly ObservedContainer[];
  /** Operations that start the dependency's containers. */
  readonly starts: readonly number[];
}

/** The operations that a container of `service` comes after: the dependency's starts and, where it promises more than to be started, the wait for that. */
export function awaitDependency(plan: PlanBuilder, pending: PendingDependency): number[] {
  const { service, name, dependency, containers, starts } = pending;
  if (dependency.condition === "service_started" || containers.length === 0) return [...starts];
  const { condition, required } = dependency;
  const wait = plan.add(
    { resource: `service ${name}`, cause: `${service} depends on it`, dependsOn: starts },
    { kind: "wait-service", service: name, containers: containers.map(targetOf), condition, required },
  );
  return [...starts, wait];
}
