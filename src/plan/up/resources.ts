/** Networks and volumes: made when they are missing, made anew when they changed and nobody uses them any more. */
import { allDecisions, attachedNetworks, label, type UpDraft } from "./draft.js";

/** Networks; containers that were taken off one are put back (rule 22). */
export function makeNetworks(draft: UpDraft): void {
  for (const network of draft.networks) {
    if (network.action === "keep") continue;
    const resource = `network ${network.key}`;
    let dependsOn: number[] = [];
    if (network.action === "replace") {
      const users = draft.rec.observed.containers.filter((c) => attachedNetworks(c).includes(network.name));
      const freed = users.flatMap((c) => draft.gone.get(c.id) ?? draft.startable.get(c.name) ?? []);
      const cause = "config changed";
      dependsOn = [
        draft.plan.add({ resource, cause, dependsOn: freed }, { kind: "remove-network", name: network.name }),
      ];
    }
    const cause = network.action === "replace" ? "config changed" : "does not exist";
    const id = draft.plan.add({ resource, cause, dependsOn }, { kind: "create-network", spec: network.spec });
    draft.networkReady.set(network.name, id);
  }
  for (const [service, decision] of allDecisions(draft)) {
    if (!("observed" in decision) || !draft.startable.has(decision.target.name)) continue;
    const ids: number[] = [];
    for (const attachment of decision.observed.info.spec.networks ?? []) {
      const ready = draft.networkReady.get(attachment.network);
      if (ready === undefined) continue;
      ids.push(
        draft.plan.add(
          { resource: label(service, decision.number), cause: "network was recreated", dependsOn: [ready] },
          { kind: "connect-network", container: decision.target, attachment },
        ),
      );
    }
    draft.startable.set(decision.target.name, ids);
  }
}

/** Volumes; replacing one was agreed to before. */
export function makeVolumes(draft: UpDraft): void {
  for (const volume of draft.volumes) {
    if (volume.action === "keep") continue;
    const resource = `volume ${volume.key}`;
    let dependsOn: number[] = [];
    if (volume.action === "replace") {
      const freed = draft.rec.observed.containers
        .filter((c) => c.info.mounts.some(({ name }) => name === volume.name))
        .flatMap((c) => draft.gone.get(c.id) ?? []);
      const cause = "config changed";
      dependsOn = [draft.plan.add({ resource, cause, dependsOn: freed }, { kind: "remove-volume", name: volume.name })];
    }
    const cause = volume.action === "replace" ? "config changed" : "does not exist";
    const id = draft.plan.add({ resource, cause, dependsOn }, { kind: "create-volume", spec: volume.spec });
    draft.volumeReady.set(volume.name, id);
  }
}
