/**
 * What the configuration of each service asks for each of its containers, and why (docs/reconcile.md R3). Looks at no other
 * container (up/fates.ts does) and at no order of operations (up.ts).
 */
import type { Service } from "../../compose/model.js";
import { TscError } from "../../lib/errors.js";
import { inDependencyOrder } from "../dependency-order.js";
import { scaleOf } from "../names.js";
import type { ObservedContainer } from "../observe.js";
import { buildSpec, finalName } from "./container-spec.js";
import type { Reconciliation, Recreate, ServiceContext } from "./context.js";
import type { Kept, OwnFate, OwnFates, Started } from "./fate.js";
import { PortChooser } from "./port-chooser.js";
import { staleCause } from "./stale.js";

/** Fates by service, in dependency order. `replacedVolumes`: names whose data is about to be lost. */
export function decideServices(rec: Reconciliation, replacedVolumes: ReadonlySet<string>): OwnFates {
  const fates = new Map<string, readonly OwnFate[]>();
  const fixedNames = new Map<string, string>();
  const ports = new PortChooser(rec.observed.containers);
  for (const service of inDependencyOrder(rec.project.services)) {
    const config = rec.project.services[service];
    if (config === undefined || config.provider !== undefined) continue;
    const scale = wantedScale(rec, service, config);
    claimFixedName(fixedNames, service, config, scale);
    fates.set(service, decideService({ rec, service, config, scale, fates, replacedVolumes, ports }));
  }
  return fates;
}

function decideService(context: ServiceContext): OwnFate[] {
  const { rec, service, scale } = context;
  const existing = rec.observed.containers.filter((c) => c.service === service && !c.oneOff);
  const judged = existing.map((observed) => {
    const spec = buildSpec(context, observed.number || 1, observed);
    return { observed, spec, stale: staleCause(context, observed, spec) };
  });
  // docs/reconcile.md R7: what is out of date goes first, then the highest numbers.
  const removalOrder = [...judged].sort(
    (a, b) => Number(b.stale !== undefined) - Number(a.stale !== undefined) || b.observed.number - a.observed.number,
  );
  const surplus = new Set(
    removalOrder.slice(0, Math.max(0, existing.length - scale)).map(({ observed }) => observed.id),
  );
  const result: OwnFate[] = [];
  for (const { observed, spec, stale } of judged) {
    const target = { name: finalName(context, observed), id: observed.id, service };
    const base = { service, target, number: observed.number, observed };
    if (surplus.has(observed.id)) {
      result.push({
        ...base,
        target: { ...target, name: observed.name },
        fate: "surplus",
        cause: `scale is ${scale}`,
      });
      continue;
    }
    const cause = recreateCause(context, observed, stale);
    if (cause !== undefined) result.push({ ...base, fate: "replaced", early: false, spec, cause });
    else result.push({ ...base, ...whenRight(observed, rec.options.start !== false) });
  }
  let next = Math.max(0, ...existing.map(({ number }) => number)) + 1;
  for (let missing = scale - (existing.length - surplus.size); missing > 0; missing--) {
    const number = next++;
    const spec = buildSpec(context, number, undefined);
    const target = { name: spec.name, service };
    const cause = existing.length === 0 ? "does not exist" : `scale is ${scale}`;
    result.push({ fate: "new", service, target, number, spec, cause });
  }
  return result;
}

function whenRight(
  { info: { state } }: ObservedContainer,
  start: boolean,
): Pick<Kept, "fate" | "cause"> | Pick<Started, "fate" | "cause" | "from"> {
  if (state === "running" || state === "restarting") return { fate: "kept", cause: "up to date and running" };
  if (!start) return { fate: "kept", cause: "up to date" };
  if (state === "paused") return { fate: "started", from: "paused", cause: "is paused" };
  return { fate: "started", from: "stopped", cause: state === "created" ? "was never started" : `is ${state}` };
}

function recreateCause(
  { rec, service }: ServiceContext,
  observed: ObservedContainer,
  stale: string | undefined,
): string | undefined {
  if (observed.info.state === "dead" || observed.info.state === "removing") return `is ${observed.info.state}`;
  const { targets = [], recreate = "diverged", recreateDependencies = "diverged" } = rec.options;
  const policy: Recreate = targets.length === 0 || targets.includes(service) ? recreate : recreateDependencies;
  if (policy === "never") return undefined;
  if (policy === "force") return stale ?? "forced";
  return stale;
}

function wantedScale(rec: Reconciliation, service: string, config: Service): number {
  const scale = rec.options.scale?.get(service) ?? scaleOf(config);
  if (scale > 1 && config.container_name !== undefined && config.container_name !== "") {
    throw new TscError(
      "TSC_SCALE_CONTAINER_NAME",
      `service "${service}" uses the container name "${config.container_name}", which only one container can have: scale ${scale} is impossible`,
      { kind: "invalid-input", hint: "remove container_name to scale the service" },
    );
  }
  return scale;
}

function claimFixedName(claimed: Map<string, string>, service: string, config: Service, scale: number): void {
  const name = config.container_name;
  if (name === undefined || name === "" || scale === 0) return;
  const other = claimed.get(name);
  if (other !== undefined) {
    throw new TscError(
      "TSC_CONTAINER_NAME_TAKEN",
      `services.${service}: container name "${name}" is already in use by service "${other}"`,
      { kind: "conflict" },
    );
  }
  claimed.set(name, service);
}
