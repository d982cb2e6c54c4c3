/** Stops, and what goes for good. */
import { given } from "../../lib/given.js";
import { dependentsOf } from "../dependency-order.js";
import { isActive } from "../observe.js";
import type { ContainerTarget, HookRun } from "../plan.js";
import type { ContainerFate } from "../reconcile/fate.js";
import { keyOf, resourceOf, type Up } from "./context.js";

/** A container that exists. */
export type ExistingFate = Exclude<ContainerFate, { readonly fate: "new" }>;

/** How a stop is written. */
export interface StopOptions {
  readonly cause: string;
  /** The container under the name that people are told; its own without. */
  readonly container?: ContainerTarget;
  readonly dependsOn?: readonly number[];
  readonly silent?: boolean;
}

/** Stops unless it is not running; dependents go down before. The ids to wait for. */
export function stopContainer(up: Up, container: ExistingFate, options: StopOptions): readonly number[] {
  const key = keyOf(container);
  const planned = up.ledger.after("stopped", key);
  if (planned.length > 0 || !isActive(container.observed)) return planned;
  const { service } = container.observed;
  const preStop = hooksOfService(up, service, "pre_stop");
  const { timeoutMs } = up.rec.options;
  const id = up.plan.add(
    {
      resource: resourceOf(container),
      cause: options.cause,
      dependsOn: [...(options.dependsOn ?? []), ...dependentStops(up, service)],
    },
    {
      kind: "stop-container",
      container: options.container ?? present(container),
      ...given({ timeoutMs, preStop }),
      ...(options.silent === true ? { silent: true } : {}),
    },
  );
  up.ledger.note("stopped", key, [id]);
  return [id];
}

/** Stops and removes a container. */
export function removeContainer(
  up: Up,
  container: ExistingFate,
  how: { readonly silent?: boolean; readonly volumes?: boolean } = {},
): void {
  const { cause } = container;
  const stop = stopContainer(up, container, { cause, silent: how.silent === true });
  const id = up.plan.add(
    { resource: resourceOf(container), cause, dependsOn: stop },
    { kind: "remove-container", container: present(container), ...how },
  );
  up.ledger.note("gone", keyOf(container), [id]);
}

/** The container as it is now. */
export function present({ observed }: ExistingFate): ContainerTarget {
  return { name: observed.name, id: observed.id, service: observed.service };
}

/** The hooks of a service; undefined without any. */
export function hooksOfService(up: Up, service: string, kind: "pre_stop" | "post_start"): HookRun | undefined {
  const commands = up.rec.project.services[service]?.[kind];
  return commands === undefined || commands.length === 0 ? undefined : { service, commands };
}

function dependentStops(up: Up, service: string): number[] {
  const dependents = dependentsOf(up.rec.project.services).get(service) ?? [];
  return up.rec.observed.containers
    .filter((container) => dependents.includes(container.service))
    .flatMap(({ id }) => up.ledger.after("stopped", id));
}
