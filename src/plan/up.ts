/**
 * The plan of `up`, `create` and `scale`: desired project + observed state + options → operations. Pure but for the question
 * before data loss. Creation runs across services at once; only starting follows the dependencies.
 */
import type { Project } from "../compose/model.js";
import { dependenciesOf, dependentsOf, inDependencyOrder } from "./graph.js";
import { hookSpec } from "./hooks.js";
import { isActive, type Observed, type ObservedContainer } from "./observe.js";
import { type ContainerTarget, type HookRun, type Plan, PlanBuilder } from "./plan.js";
import type { Reconciliation, UpOptions } from "./reconcile/context.js";
import { decideNetworks, type NetworkDecision } from "./reconcile/networks.js";
import { orphansOf, orphanWarning } from "./reconcile/orphans.js";
import { type ContainerDecision, decideServices, isRenewed, restartDependencies } from "./reconcile/services.js";
import { decideVolumes, type VolumeDecision } from "./reconcile/volumes.js";

/** Makes the plan. Errors of the spec, of missing external resources and of impossible scales are thrown before anything is done. */
export async function planUp(project: Project, observed: Observed, options: UpOptions): Promise<Plan> {
  const plan = new PlanBuilder(project.name);
  const rec: Reconciliation = { project, observed, options, plan };
  const networks = decideNetworks(rec);
  const volumes = await decideVolumes(rec);
  const replacedVolumes = new Set(volumes.filter(({ action }) => action === "replace").map(({ name }) => name));
  const decisions = decideServices(rec, replacedVolumes);
  new UpPlanner(rec, networks, volumes, decisions).emit();
  return plan.build();
}

/** The name of a container in plans: `web-1`. */
function label(service: string, number: number): string {
  return `container ${service}-${number}`;
}

/** Emits the operations of one plan, in the order people read it: remove, networks and volumes, create, replace, start. */
class UpPlanner {
  readonly #rec: Reconciliation;
  readonly #plan: PlanBuilder;
  readonly #networks: readonly NetworkDecision[];
  readonly #volumes: readonly VolumeDecision[];
  readonly #decisions: ReadonlyMap<string, readonly ContainerDecision[]>;
  readonly #order: readonly string[];
  /** Container id → the operation after which it is gone. */
  readonly #gone = new Map<string, number>();
  /** Container id → its stop operation. */
  readonly #stopped = new Map<string, number>();
  /** Final name → the operations after which it may start. */
  readonly #startable = new Map<string, number[]>();
  readonly #networkReady = new Map<string, number>();
  readonly #volumeReady = new Map<string, number>();
  readonly #created = new Map<string, number>();
  /** Service → operations after which it counts as started. */
  readonly #started = new Map<string, number[]>();
  readonly #waits = new Map<string, number>();
  /** Ids of containers that are stopped and started again though their configuration is right. */
  readonly #bounced = new Map<string, string>();

  constructor(
    rec: Reconciliation,
    networks: readonly NetworkDecision[],
    volumes: readonly VolumeDecision[],
    decisions: ReadonlyMap<string, readonly ContainerDecision[]>,
  ) {
    this.#rec = rec;
    this.#plan = rec.plan;
    this.#networks = networks;
    this.#volumes = volumes;
    this.#decisions = decisions;
    this.#order = inDependencyOrder(rec.project.services);
  }

  emit(): void {
    this.#removeOrphans();
    this.#removeSurplus();
    this.#markBounced();
    this.#freeReplacedResources();
    this.#makeNetworks();
    this.#makeVolumes();
    this.#startProviders();
    this.#createContainers();
    this.#replaceContainers();
    if (this.#rec.options.start !== false) {
      for (const service of this.#order) this.#startService(service);
      if (this.#rec.options.wait === true) this.#waitForAll();
    } else {
      for (const service of this.#order) this.#tellKept(service);
    }
  }

  #all(): [string, ContainerDecision][] {
    return this.#order.flatMap((service) =>
      (this.#decisions.get(service) ?? []).map((decision): [string, ContainerDecision] => [service, decision]),
    );
  }

  #timeout(): { readonly timeoutMs?: number } {
    return this.#rec.options.timeoutMs === undefined ? {} : { timeoutMs: this.#rec.options.timeoutMs };
  }

  #removeOrphans(): void {
    const orphans = orphansOf(this.#rec.project, this.#rec.observed);
    if (orphans.length === 0) return;
    if (this.#rec.options.removeOrphans !== true) {
      if (this.#rec.options.ignoreOrphans !== true) this.#plan.warn(orphanWarning(orphans.map(({ name }) => name)));
      return;
    }
    for (const orphan of orphans) this.#remove(orphan, `container ${orphan.name}`, "orphan", {});
  }

  #removeSurplus(): void {
    for (const [service, decision] of this.#all()) {
      if (decision.action !== "remove") continue;
      this.#remove(decision.observed, label(service, decision.number), decision.cause, { volumes: true });
    }
  }

  #remove(
    observed: ObservedContainer,
    resource: string,
    cause: string,
    how: { readonly silent?: boolean; readonly volumes?: boolean },
  ): void {
    const target = { name: observed.name, id: observed.id, service: observed.service };
    const stop = this.#stop(observed, target, resource, cause, [], how.silent === true);
    const id = this.#plan.add(
      { resource, cause, dependsOn: stop },
      { kind: "remove-container", container: target, ...how },
    );
    this.#gone.set(observed.id, id);
  }

  /** Stops unless it is not running or a stop is planned already; the ids to wait for. */
  #stop(
    observed: ObservedContainer,
    container: ContainerTarget,
    resource: string,
    cause: string,
    dependsOn: readonly number[],
    silent: boolean,
  ): number[] {
    const planned = this.#stopped.get(observed.id);
    if (planned !== undefined) return [planned];
    if (!isActive(observed)) return [];
    const preStop = this.#hooks(observed.service, "pre_stop");
    const id = this.#plan.add(
      { resource, cause, dependsOn: [...dependsOn, ...this.#dependentStops(observed.service)] },
      {
        kind: "stop-container",
        container,
        ...this.#timeout(),
        ...(preStop === undefined ? {} : { preStop }),
        ...(silent ? { silent } : {}),
      },
    );
    this.#stopped.set(observed.id, id);
    return [id];
  }

  #dependentStops(service: string): number[] {
    const dependents = dependentsOf(this.#rec.project.services).get(service) ?? [];
    return this.#rec.observed.containers
      .filter((container) => dependents.includes(container.service))
      .flatMap(({ id }) => this.#stopped.get(id) ?? []);
  }

  #hooks(service: string, kind: "pre_stop" | "post_start"): HookRun | undefined {
    const commands = this.#rec.project.services[service]?.[kind];
    return commands === undefined || commands.length === 0 ? undefined : { service, commands };
  }

  /** Kept containers that have to go down and up again: their network is replaced, or what they depend on is (rules 20, 22). */
  #markBounced(): void {
    const replaced = this.#networks.filter(({ action }) => action === "replace").map(({ name }) => name);
    for (const [service, decision] of this.#all()) {
      if (decision.action !== "keep" && decision.action !== "unpause" && decision.action !== "start") continue;
      const attached = attachedNetworks(decision.observed).find((name) => replaced.includes(name));
      if (attached !== undefined) {
        this.#bounced.set(decision.observed.id, `network ${attached} is recreated`);
        continue;
      }
      if (!isActive(decision.observed)) continue;
      const cause = restartDependencies(this.#rec.project, service).find(
        (dependency) =>
          (isRenewed(this.#decisions.get(dependency)) && this.#hadContainers(dependency)) ||
          this.#rec.observed.containers.some((c) => c.service === dependency && this.#bounced.has(c.id)),
      );
      if (cause !== undefined) this.#bounced.set(decision.observed.id, `depends on ${cause}, which is replaced`);
    }
  }

  #hadContainers(service: string): boolean {
    return this.#decisions.get(service)?.some(({ action }) => action === "recreate") ?? false;
  }

  /** True when the old container must be gone before the new one is made: it holds a network or volume that is replaced. */
  #isEarly(decision: ContainerDecision): boolean {
    if (decision.action !== "recreate") return false;
    const networks = new Set(this.#networks.filter(({ action }) => action === "replace").map(({ name }) => name));
    const volumes = new Set(this.#volumes.filter(({ action }) => action === "replace").map(({ name }) => name));
    return (
      attachedNetworks(decision.observed).some((name) => networks.has(name)) ||
      decision.observed.info.mounts.some(({ name }) => volumes.has(name))
    );
  }

  #freeReplacedResources(): void {
    for (const [service, decision] of this.#all().reverse()) {
      if (this.#isEarly(decision) && decision.action === "recreate") {
        this.#remove(decision.observed, label(service, decision.number), decision.cause, { silent: true });
      }
    }
    for (const [service, decision] of this.#all().reverse()) {
      if (!("observed" in decision)) continue;
      const cause = this.#bounced.get(decision.observed.id);
      if (cause === undefined || !cause.startsWith("network ")) continue;
      const { target } = decision;
      const resource = label(service, decision.number);
      const stop = this.#stop(decision.observed, target, resource, cause, [], false);
      const ids: number[] = [];
      for (const network of this.#networks) {
        if (network.action !== "replace" || !attachedNetworks(decision.observed).includes(network.name)) continue;
        ids.push(
          this.#plan.add(
            { resource, cause, dependsOn: stop },
            { kind: "disconnect-network", container: target, network: network.name },
          ),
        );
      }
      this.#startable.set(target.name, ids);
    }
  }

  #makeNetworks(): void {
    for (const network of this.#networks) {
      if (network.action === "keep") continue;
      const resource = `network ${network.key}`;
      let dependsOn: number[] = [];
      if (network.action === "replace") {
        const users = this.#rec.observed.containers.filter((c) => attachedNetworks(c).includes(network.name));
        const freed = users.flatMap((c) => this.#gone.get(c.id) ?? this.#startable.get(c.name) ?? []);
        const cause = "config changed";
        dependsOn = [
          this.#plan.add({ resource, cause, dependsOn: freed }, { kind: "remove-network", name: network.name }),
        ];
      }
      const cause = network.action === "replace" ? "config changed" : "does not exist";
      const id = this.#plan.add({ resource, cause, dependsOn }, { kind: "create-network", spec: network.spec });
      this.#networkReady.set(network.name, id);
    }
    for (const [service, decision] of this.#all()) {
      if (!("observed" in decision) || !this.#startable.has(decision.target.name)) continue;
      const ids: number[] = [];
      for (const attachment of decision.observed.info.spec.networks ?? []) {
        const ready = this.#networkReady.get(attachment.network);
        if (ready === undefined) continue;
        ids.push(
          this.#plan.add(
            { resource: label(service, decision.number), cause: "network was recreated", dependsOn: [ready] },
            { kind: "connect-network", container: decision.target, attachment },
          ),
        );
      }
      this.#startable.set(decision.target.name, ids);
    }
  }

  #makeVolumes(): void {
    for (const volume of this.#volumes) {
      if (volume.action === "keep") continue;
      const resource = `volume ${volume.key}`;
      let dependsOn: number[] = [];
      if (volume.action === "replace") {
        const freed = this.#rec.observed.containers
          .filter((c) => c.info.mounts.some(({ name }) => name === volume.name))
          .flatMap((c) => this.#gone.get(c.id) ?? []);
        const cause = "config changed";
        dependsOn = [
          this.#plan.add({ resource, cause, dependsOn: freed }, { kind: "remove-volume", name: volume.name }),
        ];
      }
      const cause = volume.action === "replace" ? "config changed" : "does not exist";
      const id = this.#plan.add({ resource, cause, dependsOn }, { kind: "create-volume", spec: volume.spec });
      this.#volumeReady.set(volume.name, id);
    }
  }

  #startProviders(): void {
    const dependents = dependentsOf(this.#rec.project.services);
    for (const service of this.#order) {
      const provider = this.#rec.project.services[service]?.provider;
      if (provider === undefined || this.#rec.options.skipProviders === true) continue;
      const names = dependents.get(service) ?? [];
      const overridden = Object.fromEntries(
        names.map((name) => [name, Object.keys(this.#rec.project.services[name]?.environment ?? {})]),
      );
      const id = this.#plan.add(
        { resource: `service ${service}`, cause: "is run by a provider", dependsOn: this.#dependencyStarts(service) },
        { kind: "run-provider", service, provider, action: "up", dependents: names, overridden },
      );
      this.#started.set(service, [id]);
    }
  }

  #dependencyStarts(service: string): number[] {
    const config = this.#rec.project.services[service];
    if (config === undefined) return [];
    return [...dependenciesOf(config, this.#rec.project.services).keys()].flatMap(
      (name) => this.#started.get(name) ?? [],
    );
  }

  /** Creation waits for networks, volumes and for containers whose namespaces or volumes are shared, not for dependencies. */
  #createContainers(): void {
    for (const [service, decision] of this.#all()) {
      if (decision.action !== "create" && decision.action !== "recreate") continue;
      const { spec, target } = decision;
      const replaced = decision.action === "recreate" && !this.#isEarly(decision) ? decision.observed : undefined;
      const early = decision.action === "recreate" ? this.#gone.get(decision.observed.id) : undefined;
      const dependsOn = [
        ...(spec.networks ?? []).flatMap(({ network }) => this.#networkReady.get(network) ?? []),
        ...(spec.mounts ?? []).flatMap((m) => (m.type === "volume" ? (this.#volumeReady.get(m.source) ?? []) : [])),
        ...referencedContainers(spec).flatMap((name) => this.#created.get(name) ?? []),
        ...this.#providerStarts(service),
        ...(early === undefined ? [] : [early]),
      ];
      const id = this.#plan.add(
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
      this.#created.set(target.name, id);
      this.#startable.set(target.name, [id]);
    }
  }

  #providerStarts(service: string): number[] {
    const config = this.#rec.project.services[service];
    if (config === undefined) return [];
    return [...dependenciesOf(config, this.#rec.project.services).keys()].flatMap((name) =>
      this.#rec.project.services[name]?.provider === undefined ? [] : (this.#started.get(name) ?? []),
    );
  }

  /** Stops what is replaced (dependents first), removes it, gives its name to the new container. */
  #replaceContainers(): void {
    for (const [service, decision] of this.#all().reverse()) {
      if (!("observed" in decision)) continue;
      const bounce = this.#bounced.get(decision.observed.id);
      const resource = label(service, decision.number);
      if (bounce !== undefined && !bounce.startsWith("network ")) {
        const ids = this.#stop(decision.observed, decision.target, resource, bounce, [], false);
        this.#startable.set(decision.target.name, ids);
      } else if (decision.action === "recreate" && !this.#gone.has(decision.observed.id)) {
        const created = this.#created.get(decision.target.name);
        const old = { name: decision.observed.name, id: decision.observed.id, service };
        this.#stop(decision.observed, old, resource, "is replaced", created === undefined ? [] : [created], true);
      }
    }
    for (const [service, decision] of this.#all()) {
      if ("observed" in decision && decision.action !== "recreate" && decision.action !== "remove") {
        this.#takeFinalName(service, decision);
        continue;
      }
      if (decision.action !== "recreate" || this.#gone.has(decision.observed.id)) continue;
      const resource = label(service, decision.number);
      const created = this.#created.get(decision.target.name);
      const before = [this.#stopped.get(decision.observed.id), created].filter((id) => id !== undefined);
      const old = { name: decision.observed.name, id: decision.observed.id, service };
      const removed = this.#plan.add(
        { resource, cause: "is replaced", dependsOn: before },
        { kind: "remove-container", container: old, silent: true },
      );
      const renamed = this.#plan.add(
        { resource, cause: "takes the name of the replaced one", dependsOn: [removed] },
        { kind: "rename-container", container: { name: decision.target.name, service } },
      );
      this.#startable.set(decision.target.name, [renamed]);
    }
  }

  /** A replacement that an interrupted command left under its temporary name. */
  #takeFinalName(service: string, decision: ContainerDecision & { readonly observed: ObservedContainer }): void {
    if (decision.observed.name === decision.target.name) return;
    const holder = this.#rec.observed.containers.find(({ name }) => name === decision.target.name);
    const freed = holder === undefined ? undefined : this.#gone.get(holder.id);
    if (holder !== undefined && freed === undefined) return;
    const renamed = this.#plan.add(
      {
        resource: label(service, decision.number),
        cause: "an interrupted replacement is completed",
        dependsOn: freed === undefined ? [] : [freed],
      },
      { kind: "rename-container", container: decision.target },
    );
    this.#startable.set(decision.target.name, [...(this.#startable.get(decision.target.name) ?? []), renamed]);
  }

  #tellKept(service: string): void {
    for (const decision of this.#decisions.get(service) ?? []) {
      if (decision.action !== "keep") continue;
      this.#plan.add(
        { resource: label(service, decision.number), cause: decision.cause },
        { kind: "keep-container", container: decision.target, state: decision.observed.info.state },
      );
    }
  }

  #startService(service: string): void {
    const started: number[] = [];
    let conditions: { readonly dependsOn: number[]; readonly after: number[] } | undefined;
    const hooks = this.#preStartHooks(service, () => (conditions ??= this.#conditions(service)));
    for (const decision of this.#decisions.get(service) ?? []) {
      if (decision.action === "remove") continue;
      const resource = label(service, decision.number);
      const bounced = "observed" in decision ? this.#bounced.get(decision.observed.id) : undefined;
      if (decision.action === "keep" && bounced === undefined) {
        this.#plan.add(
          { resource, cause: decision.cause },
          { kind: "keep-container", container: decision.target, state: decision.observed.info.state },
        );
        continue;
      }
      conditions ??= this.#conditions(service);
      const about = {
        resource,
        cause: bounced ?? startCause(decision),
        dependsOn: [
          ...(this.#startable.get(decision.target.name) ?? []),
          ...conditions.dependsOn,
          ...(hooks.get(decision.target.name) ?? []),
        ],
        after: conditions.after,
      };
      const container =
        decision.action === "create" || decision.action === "recreate"
          ? { name: decision.target.name, service }
          : decision.target;
      if (decision.action === "unpause" && bounced === undefined) {
        started.push(this.#plan.add(about, { kind: "unpause-container", container }));
        continue;
      }
      const postStart = this.#hooks(service, "post_start");
      started.push(
        this.#plan.add(about, {
          kind: "start-container",
          container,
          ...(postStart === undefined ? {} : { postStart }),
        }),
      );
    }
    if (!this.#started.has(service)) this.#started.set(service, started);
  }

  /** What must hold before a container of the service may start. */
  #conditions(service: string): { readonly dependsOn: number[]; readonly after: number[] } {
    const { services } = this.#rec.project;
    const config = services[service];
    const dependsOn: number[] = [];
    const after: number[] = [];
    if (config === undefined) return { dependsOn, after };
    for (const [name, dependency] of dependenciesOf(config, services)) {
      const ids = [...(this.#started.get(name) ?? [])];
      if (dependency.condition !== "service_started" && services[name]?.provider === undefined) {
        const wait = this.#wait(name, dependency.condition, dependency.required, `${service} depends on it`);
        if (wait !== undefined) ids.push(wait);
      }
      (dependency.required ? dependsOn : after).push(...ids);
    }
    return { dependsOn, after };
  }

  #wait(
    service: string,
    condition: "service_healthy" | "service_completed_successfully" | "service_running_or_healthy",
    required: boolean,
    cause: string,
  ): number | undefined {
    const key = `${service} ${condition} ${required}`;
    const known = this.#waits.get(key);
    if (known !== undefined) return known;
    const live = (this.#decisions.get(service) ?? []).filter(({ action }) => action !== "remove");
    if (live.length === 0) return undefined;
    const isHealthyNow = (decision: ContainerDecision): boolean =>
      decision.action === "keep" &&
      !this.#bounced.has(decision.observed.id) &&
      decision.observed.info.health === "healthy";
    if (condition === "service_healthy" && live.every(isHealthyNow)) return undefined;
    const id = this.#plan.add(
      { resource: `service ${service}`, cause, dependsOn: this.#started.get(service) ?? [] },
      {
        kind: "wait-service",
        service,
        containers: live.map(({ target, action }) =>
          action === "create" || action === "recreate" ? { name: target.name, service } : target,
        ),
        condition,
        required,
      },
    );
    this.#waits.set(key, id);
    return id;
  }

  #waitForAll(): void {
    const completes = new Set<string>();
    for (const config of Object.values(this.#rec.project.services)) {
      for (const [name, { condition }] of Object.entries(config.depends_on ?? {})) {
        if (condition === "service_completed_successfully") completes.add(name);
      }
    }
    for (const service of this.#order) {
      if (this.#rec.project.services[service]?.provider !== undefined) continue;
      const condition = completes.has(service) ? "service_completed_successfully" : "service_running_or_healthy";
      this.#wait(service, condition, true, "--wait");
    }
  }

  /** pre_start commands run once when every container of the service is new, or in each new one with `per_replica`. */
  #preStartHooks(
    service: string,
    conditions: () => { readonly dependsOn: number[]; readonly after: number[] },
  ): ReadonlyMap<string, number[]> {
    const ids = new Map<string, number[]>();
    const hooks = this.#rec.project.services[service]?.pre_start ?? [];
    const live = (this.#decisions.get(service) ?? []).filter(({ action }) => action !== "remove");
    if (hooks.length === 0 || live.length === 0) return ids;
    const isNew = (decision: ContainerDecision): boolean =>
      decision.action === "create" ||
      decision.action === "recreate" ||
      (decision.action === "start" && decision.observed.info.state === "created");
    let shared: number[] = [];
    hooks.forEach((hook, index) => {
      const runsIn = hook.per_replica === true ? live.filter(isNew) : live.every(isNew) ? live.slice(0, 1) : [];
      for (const decision of runsIn) {
        const spec = "spec" in decision ? decision.spec : decision.observed.info.spec;
        const waits = conditions();
        const name = `pre_start[${index}]`;
        const id = this.#plan.add(
          {
            resource: `${name} of ${service}-${decision.number}`,
            cause: "prepares the start",
            dependsOn: [
              ...(this.#startable.get(decision.target.name) ?? []),
              ...waits.dependsOn,
              ...shared,
              ...(ids.get(decision.target.name) ?? []),
            ],
            after: waits.after,
          },
          { kind: "run-hook", service, hook: name, spec: hookSpec(this.#rec.project, service, spec, hook, index) },
        );
        if (hook.per_replica === true) ids.set(decision.target.name, [...(ids.get(decision.target.name) ?? []), id]);
        else shared = [id];
      }
    });
    for (const { target } of live) ids.set(target.name, [...(ids.get(target.name) ?? []), ...shared]);
    return ids;
  }
}

function startCause(decision: ContainerDecision): string {
  switch (decision.action) {
    case "create":
      return "just created";
    case "recreate":
      return "just recreated";
    default:
      return decision.cause;
  }
}

function attachedNetworks({ info }: ObservedContainer): string[] {
  return [
    ...new Set([
      ...info.networks.map(({ network }) => network),
      ...(info.spec.networks ?? []).map(({ network }) => network),
    ]),
  ];
}

/** Containers (by name) whose namespaces or volumes this one uses. */
function referencedContainers(spec: {
  readonly networkMode?: { readonly kind: string; readonly container?: string };
  readonly pid?: { readonly kind: string; readonly container?: string };
  readonly ipc?: { readonly kind: string; readonly container?: string };
  readonly volumesFrom?: readonly { readonly container: string }[];
}): string[] {
  return [
    ...[spec.networkMode, spec.pid, spec.ipc].flatMap((mode) =>
      mode?.container === undefined ? [] : [mode.container],
    ),
    ...(spec.volumesFrom ?? []).map(({ container }) => container),
  ];
}
