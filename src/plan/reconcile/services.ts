/**
 * What becomes of each container of each service: keep, start, create, recreate or remove, and why (compose.md §3.3, rules
 * 20–26). Decides per container only; the order of the operations is up.ts's work.
 */
import type { Project, Service } from "../../compose/model.js";
import { TscError } from "../../lib/errors.js";
import { dependenciesOf, inDependencyOrder } from "../dependency-order.js";
import { scaleOf } from "../names.js";
import type { ObservedContainer } from "../observe.js";
import { buildSpec, finalName } from "./container-spec.js";
import type { Reconciliation, Recreate } from "./context.js";
import type { ContainerDecision, DecisionBase, Decisions, ServiceContext } from "./decision.js";
import { PortChooser } from "./port-chooser.js";
import { staleCause } from "./stale.js";

/** Decisions by service, in dependency order. `replacedVolumes`: names whose data is about to be lost. */
export function decideServices(rec: Reconciliation, replacedVolumes: ReadonlySet<string>): Decisions {
  const decisions = new Map<string, readonly ContainerDecision[]>();
  const fixedNames = new Map<string, string>();
  const ports = new PortChooser(rec.observed.containers);
  for (const service of inDependencyOrder(rec.project.services)) {
    const config = rec.project.services[service];
    if (config === undefined || config.provider !== undefined) continue;
    const scale = wantedScale(rec, service, config);
    claimFixedName(fixedNames, service, config, scale);
    decisions.set(service, decideService({ rec, service, config, scale, decisions, replacedVolumes, ports }));
  }
  return decisions;
}

function decideService(context: ServiceContext): ContainerDecision[] {
  const { rec, service, scale } = context;
  const existing = rec.observed.containers.filter((c) => c.service === service && !c.oneOff);
  const judged = existing.map((observed) => {
    const spec = buildSpec(context, observed.number || 1, observed);
    return { observed, spec, stale: staleCause(context, observed, spec) };
  });
  // Rule 26: what is out of date goes first, then the highest numbers.
  const removalOrder = [...judged].sort(
    (a, b) => Number(b.stale !== undefined) - Number(a.stale !== undefined) || b.observed.number - a.observed.number,
  );
  const surplus = new Set(
    removalOrder.slice(0, Math.max(0, existing.length - scale)).map(({ observed }) => observed.id),
  );
  const result: ContainerDecision[] = [];
  for (const { observed, spec, stale } of judged) {
    const target = { name: finalName(context, observed), id: observed.id, service };
    const base = { target, number: observed.number, observed };
    if (surplus.has(observed.id)) {
      result.push({
        ...base,
        target: { ...target, name: observed.name },
        action: "remove",
        cause: `scale is ${scale}`,
      });
      continue;
    }
    const cause = recreateCause(context, observed, stale);
    if (cause !== undefined) result.push({ ...base, action: "recreate", spec, cause });
    else result.push({ ...base, ...whenKept(observed, rec.options.start !== false) });
  }
  let next = Math.max(0, ...existing.map(({ number }) => number)) + 1;
  for (let missing = scale - (existing.length - surplus.size); missing > 0; missing--) {
    const number = next++;
    const spec = buildSpec(context, number, undefined);
    const target = { name: spec.name, service };
    const cause = existing.length === 0 ? "does not exist" : `scale is ${scale}`;
    result.push({ target, number, action: "create", spec, cause });
  }
  return result;
}

function whenKept(
  observed: ObservedContainer,
  start: boolean,
): Pick<DecisionBase, "cause"> & {
  action: "start" | "keep" | "unpause";
} {
  switch (observed.info.state) {
    case "running":
    case "restarting":
      return { action: "keep", cause: "up to date and running" };
    case "paused":
      return start ? { action: "unpause", cause: "is paused" } : { action: "keep", cause: "up to date" };
    default:
      return start
        ? {
            action: "start",
            cause: observed.info.state === "created" ? "was never started" : `is ${observed.info.state}`,
          }
        : { action: "keep", cause: "up to date" };
  }
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

/** True when any container of the service is new or replaced. */
export function isRenewed(decisions: readonly ContainerDecision[] | undefined): boolean {
  return decisions?.some(({ action }) => action === "create" || action === "recreate") ?? false;
}

/** Services that depend on something of the project with `restart: true`. */
export function restartDependencies(project: Project, service: string): string[] {
  const config = project.services[service];
  if (config === undefined) return [];
  return [...dependenciesOf(config, project.services)]
    .filter(([, { restart }]) => restart === true)
    .map(([name]) => name);
}
