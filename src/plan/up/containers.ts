/** New containers, and the exchange of old ones for them. */
import { sharedContainers } from "../../engine/sharing.js";
import { dependenciesOf } from "../dependency-order.js";
import type { ObservedContainer } from "../observe.js";
import type { ContainerDecision } from "../reconcile/decision.js";
import { isEarly } from "./bounce.js";
import { afterCreation, allDecisions, label, type UpDraft } from "./draft.js";
import { stopContainer } from "./removals.js";

/** Creation waits for networks, volumes and for containers whose namespaces or volumes are shared, not for dependencies. */
export function createContainers(draft: UpDraft): void {
  for (const [service, decision] of allDecisions(draft)) {
    if (decision.action !== "create" && decision.action !== "recreate") continue;
    const { spec, target } = decision;
    const replaced = decision.action === "recreate" && !isEarly(draft, decision) ? decision.observed : undefined;
    const early = decision.action === "recreate" ? draft.gone.get(decision.observed.id) : undefined;
    const dependsOn = [
      ...(spec.networks ?? []).flatMap(({ network }) => draft.networkReady.get(network) ?? []),
      ...(spec.mounts ?? []).flatMap((m) => (m.type === "volume" ? (draft.volumeReady.get(m.source) ?? []) : [])),
      ...sharedContainers(spec).flatMap(({ container }) => draft.created.get(container) ?? []),
      ...providerStarts(draft, service),
      ...(early === undefined ? [] : [early]),
    ];
    const id = draft.plan.add(
      { resource: label(service, decision.number), cause: decision.cause, dependsOn },
      {
        kind: "create-container",
        container: { name: target.name, service },
        spec:
          replaced === undefined
            ? { ...spec, name: target.name }
            : { ...spec, name: `${replaced.id.slice(0, 12)}_${target.name}` },
        ...(decision.action === "recreate" ? { replaces: decision.observed.id } : {}),
      },
    );
    draft.created.set(target.name, id);
    draft.startable.set(target.name, [id]);
  }
}

function providerStarts(draft: UpDraft, service: string): number[] {
  const config = draft.rec.project.services[service];
  if (config === undefined) return [];
  return [...dependenciesOf(config, draft.rec.project.services).keys()].flatMap((name) =>
    draft.rec.project.services[name]?.provider === undefined ? [] : (draft.started.get(name) ?? []),
  );
}

/** Stops what is replaced (dependents first), removes it, gives its name to the new container. */
export function replaceContainers(draft: UpDraft): void {
  for (const [service, decision] of allDecisions(draft).reverse()) {
    if (!("observed" in decision)) continue;
    const bounce = draft.bounced.get(decision.observed.id);
    const resource = label(service, decision.number);
    if (bounce !== undefined && !bounce.startsWith("network ")) {
      const before = afterCreation(draft, []);
      const ids = stopContainer(draft, decision.observed, decision.target, resource, bounce, before, false);
      if (draft.created.size > 0) for (const id of ids) draft.afterCreation.add(id);
      draft.startable.set(decision.target.name, ids);
    } else if (decision.action === "recreate" && !draft.gone.has(decision.observed.id)) {
      const old = { name: decision.observed.name, id: decision.observed.id, service };
      const before = afterCreation(draft, []);
      for (const id of stopContainer(draft, decision.observed, old, resource, "is replaced", before, true))
        draft.afterCreation.add(id);
    }
  }
  for (const [service, decision] of allDecisions(draft)) {
    if ("observed" in decision && decision.action !== "recreate" && decision.action !== "remove") {
      takeFinalName(draft, service, decision);
      continue;
    }
    if (decision.action !== "recreate" || draft.gone.has(decision.observed.id)) continue;
    const resource = label(service, decision.number);
    const created = draft.created.get(decision.target.name);
    const before = afterCreation(
      draft,
      [draft.stopped.get(decision.observed.id), created].filter((id) => id !== undefined),
    );
    const old = { name: decision.observed.name, id: decision.observed.id, service };
    const removed = draft.plan.add(
      { resource, cause: "is replaced", dependsOn: before },
      { kind: "remove-container", container: old, silent: true },
    );
    const renamed = draft.plan.add(
      { resource, cause: "takes the name of the replaced one", dependsOn: [removed] },
      { kind: "rename-container", container: { name: decision.target.name, service } },
    );
    for (const id of [removed, renamed]) draft.afterCreation.add(id);
    draft.startable.set(decision.target.name, [renamed]);
  }
}

/** A replacement that an interrupted command left under its temporary name. */
function takeFinalName(
  draft: UpDraft,
  service: string,
  decision: ContainerDecision & { readonly observed: ObservedContainer },
): void {
  if (decision.observed.name === decision.target.name) return;
  const holder = draft.rec.observed.containers.find(({ name }) => name === decision.target.name);
  const freed = holder === undefined ? undefined : draft.gone.get(holder.id);
  if (holder !== undefined && freed === undefined) return;
  const renamed = draft.plan.add(
    {
      resource: label(service, decision.number),
      cause: "an interrupted replacement is completed",
      dependsOn: freed === undefined ? [] : [freed],
    },
    { kind: "rename-container", container: decision.target },
  );
  draft.startable.set(decision.target.name, [...(draft.startable.get(decision.target.name) ?? []), renamed]);
}
