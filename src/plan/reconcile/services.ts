/**
 * What becomes of each container of each service: keep, start, create, recreate or remove, and why (compose.md §3.3, rules
 * 20–26). Decides per container only; the order of the operations is up.ts's work.
 */
import type { Project, Service } from "../../compose/model.js";
import type { ContainerSpec, MountSpec } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { explainDifference } from "../diff.js";
import { dependenciesOf, inDependencyOrder, serviceOfMode } from "../graph.js";
import { LABEL } from "../labels.js";
import { containerName, imageName, scaleOf } from "../names.js";
import { isActive, type ObservedContainer } from "../observe.js";
import type { ContainerTarget } from "../plan.js";
import { type PortChoice, serviceSpec } from "../service-spec/index.js";
import type { Reconciliation, Recreate } from "./context.js";

interface DecisionBase {
  readonly target: ContainerTarget;
  readonly number: number;
  readonly cause: string;
}
export type ContainerDecision =
  | (DecisionBase & { readonly action: "create"; readonly spec: ContainerSpec })
  | (DecisionBase & { readonly action: "recreate"; readonly spec: ContainerSpec; readonly observed: ObservedContainer })
  | (DecisionBase & { readonly action: "start" | "keep" | "unpause" | "remove"; readonly observed: ObservedContainer });

export type Decisions = ReadonlyMap<string, readonly ContainerDecision[]>;

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

interface ServiceContext {
  readonly rec: Reconciliation;
  readonly service: string;
  readonly config: Service;
  readonly scale: number;
  readonly decisions: Decisions;
  readonly replacedVolumes: ReadonlySet<string>;
  readonly ports: PortChooser;
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

/** Why the container is not what the project asks for, or undefined. */
function staleCause(context: ServiceContext, observed: ObservedContainer, spec: ContainerSpec): string | undefined {
  const { info } = observed;
  const wanted = spec.labels ?? {};
  if (observed.configHash !== wanted[LABEL.configHash]) {
    const difference = explainDifference(withoutAnonymous(info.spec, observed), withoutAnonymous(spec, observed));
    return difference === "" ? "config changed" : `config changed: ${difference}`;
  }
  if (wanted[LABEL.image] !== undefined && info.labels[LABEL.image] !== wanted[LABEL.image]) return "image changed";
  if ((info.labels[LABEL.imageVolumeDigest] ?? "") !== (wanted[LABEL.imageVolumeDigest] ?? "")) {
    return "image of a volume changed";
  }
  if ((info.labels[LABEL.files] ?? "") !== (wanted[LABEL.files] ?? "")) return "content of a config or secret changed";
  return (
    parentCause(context, observed) ??
    networkCause(observed, spec) ??
    volumeCause(observed, spec, context.replacedVolumes)
  );
}

/** Anonymous volumes carry names that say nothing about the configuration. */
function withoutAnonymous(spec: ContainerSpec, { info }: ObservedContainer): ContainerSpec {
  const names = new Set(info.mounts.filter(({ anonymous }) => anonymous).map(({ name }) => name));
  const mounts = (spec.mounts ?? []).filter(
    (mount) => mount.type !== "volume" || (mount.source !== "" && !names.has(mount.source)),
  );
  return { ...spec, mounts };
}

/** A container that shares a namespace or volumes is bound to that very container. */
function parentCause({ rec, config, decisions }: ServiceContext, observed: ObservedContainer): string | undefined {
  const shares: [string, string][] = [];
  for (const mode of [config.network_mode, config.ipc, config.pid]) {
    const parent = serviceOfMode(mode);
    if (parent !== undefined) shares.push([parent, "namespace"]);
  }
  for (const from of config.volumes_from ?? []) {
    if (!from.startsWith("container:")) shares.push([from.split(":")[0] ?? "", "volumes"]);
  }
  for (const [parent, what] of shares) {
    const made = decisions.get(parent)?.some(({ action }) => action === "create" || action === "recreate");
    if (made === true) return `shares ${what} with ${parent}, which is recreated`;
  }
  const parentRefs = [observed.info.spec.networkMode, observed.info.spec.ipc, observed.info.spec.pid];
  for (const mode of parentRefs) {
    if (mode?.kind !== "container") continue;
    const known = rec.observed.containers.some(({ id, name }) => id === mode.container || name === mode.container);
    const isOurs = shares.length > 0;
    if (isOurs && !known) return `shares a namespace with a container that is gone`;
  }
  return undefined;
}

function networkCause({ info }: ObservedContainer, spec: ContainerSpec): string | undefined {
  if (info.state !== "running") return undefined;
  for (const attachment of spec.networks ?? []) {
    const endpoint = info.networks.find(({ network }) => network === attachment.network);
    if (endpoint === undefined) return `network ${attachment.network} is not connected`;
    const missing = (attachment.aliases ?? []).find((alias) => !endpoint.aliases.includes(alias));
    if (missing !== undefined && endpoint.aliases.length > 0)
      return `network ${attachment.network}: alias ${missing} is missing`;
  }
  return undefined;
}

function volumeCause(
  { info }: ObservedContainer,
  spec: ContainerSpec,
  replaced: ReadonlySet<string>,
): string | undefined {
  for (const mount of spec.mounts ?? []) {
    if (mount.type !== "volume" || mount.source === "") continue;
    if (replaced.has(mount.source)) return `volume ${mount.source} is recreated`;
    const mounted = info.mounts.find(({ target, type }) => type === "volume" && samePath(target, mount.target));
    if (mounted !== undefined && mounted.name !== mount.source && !mounted.anonymous) {
      return `volume at ${mount.target} is ${mounted.name}, not ${mount.source}`;
    }
  }
  return undefined;
}

function buildSpec(context: ServiceContext, number: number, previous: ObservedContainer | undefined): ContainerSpec {
  const { rec, service, config } = context;
  const { project, observed, options, plan } = rec;
  const separator = options.separator ?? "-";
  const imageOf = (reference: string): string => observed.images.get(reference)?.id ?? "";
  const spec = serviceSpec({
    project,
    service,
    number,
    separator,
    imageId: imageOf(imageName(project.name, service, config, separator)),
    imageVolumeIds: (config.volumes ?? [])
      .filter(({ type }) => type === "image")
      .map(({ source }) => imageOf(source ?? ""))
      .filter((id) => id !== ""),
    choosePort: (port) => context.ports.choose(port, previous),
    containerOf: (other, what) => containerOf(context, other, what),
    ...(options.noHosts === undefined ? {} : { noHosts: options.noHosts }),
    ...(options.pod === undefined ? {} : { pod: options.pod }),
    warn: (message) => plan.warn(message),
  });
  return previous === undefined || options.renewAnonymousVolumes === true ? spec : inheritVolumes(spec, previous);
}

/** Rule 23: anonymous volumes of the previous container are mounted at the same places. */
function inheritVolumes(spec: ContainerSpec, previous: ObservedContainer): ContainerSpec {
  const anonymous = previous.info.mounts.filter(({ type, anonymous }) => type === "volume" && anonymous);
  if (anonymous.length === 0) return spec;
  const mounts: MountSpec[] = (spec.mounts ?? []).map((mount) => {
    if (mount.type !== "volume" || mount.source !== "") return mount;
    const old = anonymous.find(({ target }) => samePath(target, mount.target));
    return old === undefined ? mount : { ...mount, source: old.name };
  });
  for (const old of anonymous) {
    if (mounts.some(({ target }) => samePath(target, old.target))) continue;
    mounts.push({ type: "volume", source: old.name, target: old.target, ...(old.readOnly ? { readOnly: true } : {}) });
  }
  return { ...spec, mounts };
}

function samePath(a: string, b: string): boolean {
  return a.replace(/\/+$/, "") === b.replace(/\/+$/, "");
}

function containerOf({ rec, decisions }: ServiceContext, service: string, what: string): string {
  const decided = decisions
    .get(service)
    ?.filter(({ action }) => action !== "remove")
    .sort((a, b) => a.number - b.number)[0];
  if (decided !== undefined) return decided.target.name;
  const existing = rec.observed.containers.find((c) => c.service === service && !c.oneOff);
  if (existing !== undefined && rec.project.services[service] === undefined) return existing.id;
  throw new TscError("TSC_CONTAINER_MISSING", `cannot share ${what} with service ${service}: container missing`, {
    kind: "not-found",
  });
}

function finalName({ rec, service, config }: ServiceContext, observed: ObservedContainer): string {
  if (observed.number === 0) return observed.name;
  return containerName(rec.project.name, service, config, observed.number, rec.options.separator ?? "-");
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

/** Gives each replica its own port of a published range; remembers what the project already uses. */
class PortChooser {
  readonly #usedBy = new Map<string, string>();

  constructor(containers: readonly ObservedContainer[]) {
    for (const container of containers) {
      for (const { hostPort, protocol } of container.info.ports) {
        if (hostPort > 0) this.#usedBy.set(`${hostPort}/${protocol}`, container.id);
      }
    }
  }

  choose(port: PortChoice, previous: ObservedContainer | undefined): number {
    const old = previous?.info.ports.find(
      ({ hostPort, protocol }) => protocol === port.protocol && hostPort >= port.from && hostPort <= port.to,
    );
    if (old !== undefined) return old.hostPort;
    for (let candidate = port.from; candidate <= port.to; candidate++) {
      const key = `${candidate}/${port.protocol}`;
      if (this.#usedBy.has(key)) continue;
      this.#usedBy.set(key, "planned");
      return candidate;
    }
    throw new TscError("TSC_PORT_RANGE_FULL", `no free port left in the published range ${port.from}-${port.to}`, {
      kind: "conflict",
    });
  }
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

/** True while the old container must be stopped before it is removed. */
export function needsStop(observed: ObservedContainer): boolean {
  return isActive(observed);
}
