/** Networks and volumes: made when they are missing, made anew when they changed and nobody uses them any more. */
import { attachedNetworks, keyOf, resourceOf, type Up } from "./context.js";

/** Networks; containers that were taken off one are put back (docs/reconcile.md R4). */
export function makeNetworks(up: Up): void {
  for (const network of up.networks) {
    if (network.action === "keep") continue;
    const resource = `network ${network.key}`;
    let dependsOn: number[] = [];
    if (network.action === "replace") {
      const users = up.rec.observed.containers.filter((user) => attachedNetworks(user).includes(network.name));
      const freed = users.flatMap(({ id }) =>
        up.ledger.has("gone", id) ? up.ledger.after("gone", id) : up.ledger.after("startable", id),
      );
      const cause = "config changed";
      dependsOn = [up.plan.add({ resource, cause, dependsOn: freed }, { kind: "remove-network", name: network.name })];
    }
    const cause = network.action === "replace" ? "config changed" : "does not exist";
    const id = up.plan.add({ resource, cause, dependsOn }, { kind: "create-network", spec: network.spec });
    up.ledger.note("network", network.name, [id]);
  }
  for (const container of up.fates) {
    if (container.fate !== "bounced" || !("network" in container.by)) continue;
    const ids = (container.observed.info.spec.networks ?? []).flatMap((attachment) => {
      const dependsOn = up.ledger.after("network", attachment.network);
      if (dependsOn.length === 0) return [];
      return up.plan.add(
        { resource: resourceOf(container), cause: "network was recreated", dependsOn },
        { kind: "connect-network", container: container.target, attachment },
      );
    });
    up.ledger.note("startable", keyOf(container), ids);
  }
}

/** Volumes; replacing one was agreed to before. */
export function makeVolumes(up: Up): void {
  for (const volume of up.volumes) {
    if (volume.action === "keep") continue;
    const resource = `volume ${volume.key}`;
    let dependsOn: number[] = [];
    if (volume.action === "replace") {
      const freed = up.rec.observed.containers
        .filter(({ info }) => info.mounts.some(({ name }) => name === volume.name))
        .flatMap(({ id }) => up.ledger.after("gone", id));
      const cause = "config changed";
      dependsOn = [up.plan.add({ resource, cause, dependsOn: freed }, { kind: "remove-volume", name: volume.name })];
    }
    const cause = volume.action === "replace" ? "config changed" : "does not exist";
    const id = up.plan.add({ resource, cause, dependsOn }, { kind: "create-volume", spec: volume.spec });
    up.ledger.note("volume", volume.name, [id]);
  }
}
