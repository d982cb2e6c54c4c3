/** Containers that go: orphans, what is too many, and the stop before it. */
import { dependentsOf } from "../dependency-order.js";
import { isActive, type ObservedContainer } from "../observe.js";
import type { ContainerTarget, HookRun } from "../plan.js";
import { orphansOf, orphanWarning } from "../reconcile/orphans.js";
import { allDecisions, label, type UpDraft } from "./draft.js";

/** Removes containers of services that the project no longer has, or tells that they are there (rule 27). */
export function removeOrphans(draft: UpDraft): void {
  const orphans = orphansOf(draft.rec.project, draft.rec.observed);
  if (orphans.length === 0) return;
  if (draft.rec.options.removeOrphans !== true) {
    if (draft.rec.options.ignoreOrphans !== true) draft.plan.warn(orphanWarning(orphans.map(({ name }) => name)));
    return;
  }
  for (const orphan of orphans) removeContainer(draft, orphan, `container ${orphan.name}`, "orphan", {});
}

/** Removes what is more than the scale. */
export function removeSurplus(draft: UpDraft): void {
  for (const [service, decision] of allDecisions(draft)) {
    if (decision.action !== "remove") continue;
    removeContainer(draft, decision.observed, label(service, decision.number), decision.cause, { volumes: true });
  }
}

/** Stops and removes a container. */
export function removeContainer(
  draft: UpDraft,
  observed: ObservedContainer,
  resource: string,
  cause: string,
  how: { readonly silent?: boolean; readonly volumes?: boolean },
): void {
  const target = { name: observed.name, id: observed.id, service: observed.service };
  const stop = stopContainer(draft, observed, target, resource, cause, [], how.silent === true);
  const id = draft.plan.add(
    { resource, cause, dependsOn: stop },
    { kind: "remove-container", container: target, ...how },
  );
  draft.gone.set(observed.id, id);
}

/** Stops unless it is not running or a stop is planned already; the ids to wait for. */
export function stopContainer(
  draft: UpDraft,
  observed: ObservedContainer,
  container: ContainerTarget,
  resource: string,
  cause: string,
  dependsOn: readonly number[],
  silent: boolean,
): number[] {
  const planned = draft.stopped.get(observed.id);
  if (planned !== undefined) return [planned];
  if (!isActive(observed)) return [];
  const preStop = hooksOfService(draft, observed.service, "pre_stop");
  const id = draft.plan.add(
    { resource, cause, dependsOn: [...dependsOn, ...dependentStops(draft, observed.service)] },
    {
      kind: "stop-container",
      container,
      ...timeoutOf(draft),
      ...(preStop === undefined ? {} : { preStop }),
      ...(silent ? { silent } : {}),
    },
  );
  draft.stopped.set(observed.id, id);
  return [id];
}

function dependentStops(draft: UpDraft, service: string): number[] {
  const dependents = dependentsOf(draft.rec.project.services).get(service) ?? [];
  return draft.rec.observed.containers
    .filter((container) => dependents.includes(container.service))
    .flatMap(({ id }) => draft.stopped.get(id) ?? []);
}

function timeoutOf(draft: UpDraft): { readonly timeoutMs?: number } {
  return draft.rec.options.timeoutMs === undefined ? {} : { timeoutMs: draft.rec.options.timeoutMs };
}

/** The hooks of a service; undefined without any. */
export function hooksOfService(draft: UpDraft, service: string, kind: "pre_stop" | "post_start"): HookRun | undefined {
  const commands = draft.rec.project.services[service]?.[kind];
  return commands === undefined || commands.length === 0 ? undefined : { service, commands };
}
