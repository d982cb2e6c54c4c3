/** New containers, and those that take another one's place. */
import { sharedContainers } from "../../../engine/sharing.js";
import { dependenciesOf } from "../../dependency-order.js";
import type { New, Replaced } from "../../reconcile/fate.js";
import { keyOf, resourceOf, type Up } from "../context.js";
import { startContainer } from "../start-container.js";
import { present, removeContainer, stopContainer } from "../stops.js";
import type { Writer } from "./writer.js";

/** Is made and started. */
export const newWriter: Writer<New> = {
  create(up, container) {
    const { spec, target } = container;
    noteCreation(up, container, addCreation(up, container, [], { spec: { ...spec, name: target.name } }));
  },
  start: (up, container, before) => startContainer(up, container, before, "just created"),
};

/** The new one is made beside the old one, under another name, and takes its place when all is made; early ones make room first. */
export const replacedWriter: Writer<Replaced> = {
  free(up, container) {
    if (container.early) removeContainer(up, container, { silent: true });
  },
  create(up, container) {
    const { spec, target, observed } = container;
    const name = container.early ? target.name : `${observed.id.slice(0, 12)}_${target.name}`;
    const gone = up.ledger.after("gone", keyOf(container));
    noteCreation(up, container, addCreation(up, container, gone, { spec: { ...spec, name }, replaces: observed.id }));
  },
  stop(up, container) {
    if (container.early) return;
    const dependsOn = up.ledger.creations();
    const ids = stopContainer(up, container, { cause: "is replaced", dependsOn, silent: true });
    up.ledger.noteBehindCreations(ids);
  },
  settle(up, container) {
    if (container.early) return;
    const { target, service } = container;
    const resource = resourceOf(container);
    const removed = up.plan.add(
      {
        resource,
        cause: "is replaced",
        dependsOn: up.ledger.behindCreations([
          ...up.ledger.after("stopped", keyOf(container)),
          ...up.ledger.after("created", target.name),
        ]),
      },
      { kind: "remove-container", container: present(container), silent: true },
    );
    const renamed = up.plan.add(
      { resource, cause: "takes the name of the replaced one", dependsOn: [removed] },
      { kind: "rename-container", container: { name: target.name, service } },
    );
    up.ledger.noteBehindCreations([removed, renamed]);
    up.ledger.note("startable", keyOf(container), [renamed]);
  },
  start: (up, container, before) => startContainer(up, container, before, "just recreated"),
};

function noteCreation(up: Up, container: New | Replaced, id: number): void {
  up.ledger.note("created", container.target.name, [id]);
  up.ledger.note("startable", keyOf(container), [id]);
}

/** Waits for networks, volumes, providers and for containers whose namespaces or volumes are shared, not for dependencies. */
function addCreation(
  up: Up,
  container: New | Replaced,
  gone: readonly number[],
  body: { readonly spec: New["spec"]; readonly replaces?: string },
): number {
  const { spec, target, service, cause } = container;
  const { ledger } = up;
  const dependsOn = [
    ...(spec.networks ?? []).flatMap(({ network }) => ledger.after("network", network)),
    ...(spec.mounts ?? []).flatMap((mount) => (mount.type === "volume" ? ledger.after("volume", mount.source) : [])),
    ...sharedContainers(spec).flatMap((shared) => ledger.after("created", shared.container)),
    ...providerStarts(up, service),
    ...gone,
  ];
  return up.plan.add(
    { resource: resourceOf(container), cause, dependsOn },
    { kind: "create-container", container: { name: target.name, service }, ...body },
  );
}

function providerStarts(up: Up, service: string): number[] {
  const { services } = up.rec.project;
  const config = services[service];
  if (config === undefined) return [];
  return [...dependenciesOf(config, services).keys()].flatMap((name) =>
    services[name]?.provider === undefined ? [] : up.ledger.after("started", name),
  );
}
