/** Containers that are right but have to go down and up again, and those that must be gone before a resource is made anew. */
import { isActive } from "../observe.js";
import type { ContainerDecision } from "../reconcile/decision.js";
import { isRenewed, restartDependencies } from "../reconcile/services.js";
import { allDecisions, attachedNetworks, label, type UpDraft } from "./draft.js";
import { removeContainer, stopContainer } from "./removals.js";

/** Kept containers that have to go down and up again: their network is replaced, or what they depend on is (rules 20, 22). */
export function markBounced(draft: UpDraft): void {
  const replaced = draft.networks.filter(({ action }) => action === "replace").map(({ name }) => name);
  for (const [service, decision] of allDecisions(draft)) {
    if (decision.action !== "keep" && decision.action !== "unpause" && decision.action !== "start") continue;
    const attached = attachedNetworks(decision.observed).find((name) => replaced.includes(name));
    if (attached !== undefined) {
      draft.bounced.set(decision.observed.id, `network ${attached} is recreated`);
      continue;
    }
    if (!isActive(decision.observed)) continue;
    const cause = restartDependencies(draft.rec.project, service).find(
      (dependency) =>
        (isRenewed(draft.decisions.get(dependency)) && hadContainers(draft, dependency)) ||
        draft.rec.observed.containers.some((c) => c.service === dependency && draft.bounced.has(c.id)),
    );
    if (cause !== undefined) draft.bounced.set(decision.observed.id, `depends on ${cause}, which is replaced`);
  }
}

function hadContainers(draft: UpDraft, service: string): boolean {
  return draft.decisions.get(service)?.some(({ action }) => action === "recreate") ?? false;
}

/** True when the old container must be gone before the new one is made: it holds a network or volume that is replaced. */
export function isEarly(draft: UpDraft, decision: ContainerDecision): boolean {
  if (decision.action !== "recreate") return false;
  const networks = new Set(draft.networks.filter(({ action }) => action === "replace").map(({ name }) => name));
  const volumes = new Set(draft.volumes.filter(({ action }) => action === "replace").map(({ name }) => name));
  return (
    attachedNetworks(decision.observed).some((name) => networks.has(name)) ||
    decision.observed.info.mounts.some(({ name }) => volumes.has(name))
  );
}

/** Takes containers off the networks and volumes that are replaced. */
export function freeReplacedResources(draft: UpDraft): void {
  for (const [service, decision] of allDecisions(draft).reverse()) {
    if (isEarly(draft, decision) && decision.action === "recreate") {
      removeContainer(draft, decision.observed, label(service, decision.number), decision.cause, { silent: true });
    }
  }
  for (const [service, decision] of allDecisions(draft).reverse()) {
    if (!("observed" in decision)) continue;
    const cause = draft.bounced.get(decision.observed.id);
    if (cause === undefined || !cause.startsWith("network ")) continue;
    const { target } = decision;
    const resource = label(service, decision.number);
    const stop = stopContainer(draft, decision.observed, target, resource, cause, [], false);
    const ids: number[] = [];
    for (const network of draft.networks) {
      if (network.action !== "replace" || !attachedNetworks(decision.observed).includes(network.name)) continue;
      ids.push(
        draft.plan.add(
          { resource, cause, dependsOn: stop },
          { kind: "disconnect-network", container: target, network: network.name },
        ),
      );
    }
    draft.startable.set(target.name, ids);
  }
}
