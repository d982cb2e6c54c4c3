/** The fates of all containers: what each one's own configuration asks for, and what its neighbours do to it. Pure; writes no operation. */
import type { Project } from "../../compose/model.js";
import { dependenciesOf } from "../dependency-order.js";
import { isActive, type ObservedContainer } from "../observe.js";
import type { Bounced, BouncedBy, ContainerFate, Orphan, OwnFate, OwnFates } from "../reconcile/fate.js";
import { attachedNetworks } from "./context.js";

/** What a container's fate depends on besides its own. */
export interface Surroundings {
  readonly project: Project;
  /** Networks and volumes that are made anew, by name. */
  readonly replacedNetworks: ReadonlySet<string>;
  readonly replacedVolumes: ReadonlySet<string>;
  /** The fates of the services that come before, by service. */
  readonly before: ReadonlyMap<string, readonly ContainerFate[]>;
}

/** Every fate, the containers of dependencies before those of dependents. */
export function fatesOf(
  order: readonly string[],
  own: OwnFates,
  surroundings: Omit<Surroundings, "before">,
): ContainerFate[] {
  const before = new Map<string, readonly ContainerFate[]>();
  for (const service of order) {
    const around = { ...surroundings, before };
    before.set(
      service,
      (own.get(service) ?? []).map((one) => fateOf(one, around)),
    );
  }
  return [...before.values()].flat();
}

/**
 * What becomes of one container: what is right goes down and up again when a network of it is made anew, or when what it depends on with
 * `restart: true` is replaced or goes down itself (docs/reconcile.md R2, docs/reconcile.md R4); what is replaced goes early when it holds what is made anew.
 */
export function fateOf(own: OwnFate, around: Surroundings): ContainerFate {
  if (own.fate === "replaced") return { ...own, early: holdsReplaced(own.observed, around) };
  if (own.fate !== "kept" && own.fate !== "started") return own;
  const by = bouncedBy(own.service, own.observed, around);
  return by === undefined ? own : bounced(own, by);
}

/** A container that nothing of the project accounts for. */
export function orphanOf(observed: ObservedContainer): Orphan {
  const { id, name, service, number } = observed;
  return { fate: "orphan", service, number, target: { name, id, service }, cause: "orphan", observed };
}

function bounced({ service, target, number, observed }: Exclude<OwnFate, { fate: "new" }>, by: BouncedBy): Bounced {
  const cause =
    "network" in by ? `network ${by.network} is recreated` : `depends on ${by.dependency}, which is replaced`;
  return { fate: "bounced", service, target, number, observed, by, cause };
}

function bouncedBy(service: string, observed: ObservedContainer, around: Surroundings): BouncedBy | undefined {
  const network = attachedNetworks(observed).find((name) => around.replacedNetworks.has(name));
  if (network !== undefined) return { network };
  if (!isActive(observed)) return undefined;
  const { services } = around.project;
  const config = services[service];
  if (config === undefined) return undefined;
  for (const [dependency, { restart }] of dependenciesOf(config, services)) {
    const goesDown = around.before.get(dependency)?.some(({ fate }) => fate === "replaced" || fate === "bounced");
    if (restart === true && goesDown === true) return { dependency };
  }
  return undefined;
}

function holdsReplaced(observed: ObservedContainer, { replacedNetworks, replacedVolumes }: Surroundings): boolean {
  return (
    attachedNetworks(observed).some((name) => replacedNetworks.has(name)) ||
    observed.info.mounts.some(({ name }) => replacedVolumes.has(name))
  );
}
