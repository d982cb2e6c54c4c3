/** Containers that are right: they stay, start, or go down and up again. */
import type { Bounced, Kept, Started } from "../../reconcile/fate.js";
import { attachedNetworks, keyOf, resourceOf, type Up } from "../context.js";
import { startContainer, unpauseContainer } from "../start-container.js";
import { stopContainer } from "../stops.js";
import type { Writer } from "./writer.js";

/** Stays as it is. */
export const keptWriter: Writer<Kept> = {
  settle: takeFinalName,
  start(up, container) {
    tellKept(up, container);
    return [];
  },
  tell: tellKept,
};

/** Starts, or goes on. */
export const startedWriter: Writer<Started> = {
  settle: takeFinalName,
  start: (up, container, before) =>
    container.from === "paused"
      ? unpauseContainer(up, container, before)
      : startContainer(up, container, before, container.cause),
};

/** Goes down and up again: off a network before that is made anew, else when all is made. */
export const bouncedWriter: Writer<Bounced> = {
  free(up, container) {
    if ("dependency" in container.by) return;
    const { cause, target, observed } = container;
    const stop = stopContainer(up, container, { cause, container: target });
    const attached = attachedNetworks(observed);
    const ids = up.networks
      .filter(({ action, name }) => action === "replace" && attached.includes(name))
      .map(({ name }) =>
        up.plan.add(
          { resource: resourceOf(container), cause, dependsOn: stop },
          { kind: "disconnect-network", container: target, network: name },
        ),
      );
    up.ledger.note("startable", keyOf(container), ids);
  },
  stop(up, container) {
    if ("network" in container.by) return;
    const { cause, target } = container;
    const ids = stopContainer(up, container, { cause, container: target, dependsOn: up.ledger.creations() });
    up.ledger.noteBehindCreations(ids);
    up.ledger.note("startable", keyOf(container), ids);
  },
  settle: takeFinalName,
  start: (up, container, before) => startContainer(up, container, before, container.cause),
};

function tellKept(up: Up, container: Kept): void {
  up.plan.add(
    { resource: resourceOf(container), cause: container.cause },
    { kind: "keep-container", container: container.target, state: container.observed.info.state },
  );
}

/** A replacement that an interrupted command left under its temporary name. */
function takeFinalName(up: Up, container: Kept | Started | Bounced): void {
  const { observed, target } = container;
  if (observed.name === target.name) return;
  const holder = up.rec.observed.containers.find(({ name }) => name === target.name);
  const freed = holder === undefined ? [] : up.ledger.after("gone", holder.id);
  if (holder !== undefined && freed.length === 0) return;
  const renamed = up.plan.add(
    { resource: resourceOf(container), cause: "an interrupted replacement is completed", dependsOn: freed },
    { kind: "rename-container", container: target },
  );
  const key = keyOf(container);
  up.ledger.note("startable", key, [...up.ledger.after("startable", key), renamed]);
}
