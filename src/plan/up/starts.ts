/** Starts in the order of the dependencies, with the waits between them. */
import { dependenciesOf, dependentsOf } from "../dependency-order.js";
import type { ContainerDecision } from "../reconcile/decision.js";
import { afterCreation, type Conditions, label, type UpDraft } from "./draft.js";
import { preStartHooks } from "./pre-start.js";
import { hooksOfService } from "./removals.js";

/** Services that a program outside runs: before the containers that need what they set. */
export function startProviders(draft: UpDraft): void {
  const dependents = dependentsOf(draft.rec.project.services);
  for (const service of draft.order) {
    const provider = draft.rec.project.services[service]?.provider;
    if (provider === undefined || draft.rec.options.skipProviders === true) continue;
    const names = dependents.get(service) ?? [];
    const overridden = Object.fromEntries(
      names.map((name) => [name, Object.keys(draft.rec.project.services[name]?.environment ?? {})]),
    );
    const id = draft.plan.add(
      { resource: `service ${service}`, cause: "is run by a provider", dependsOn: dependencyStarts(draft, service) },
      { kind: "run-provider", service, provider, action: "up", dependents: names, overridden },
    );
    draft.started.set(service, [id]);
  }
}

function dependencyStarts(draft: UpDraft, service: string): number[] {
  const config = draft.rec.project.services[service];
  if (config === undefined) return [];
  return [...dependenciesOf(config, draft.rec.project.services).keys()].flatMap(
    (name) => draft.started.get(name) ?? [],
  );
}

/** Tells what is left as it is, where nothing is started. */
export function tellKept(draft: UpDraft, service: string): void {
  for (const decision of draft.decisions.get(service) ?? []) {
    if (decision.action !== "keep") continue;
    draft.plan.add(
      { resource: label(service, decision.number), cause: decision.cause },
      { kind: "keep-container", container: decision.target, state: decision.observed.info.state },
    );
  }
}

/** Starts the containers of a service that do not run. */
export function startService(draft: UpDraft, service: string): void {
  const started: number[] = [];
  let conditions: Conditions | undefined;
  const hooks = preStartHooks(draft, service, () => (conditions ??= conditionsOf(draft, service)));
  for (const decision of draft.decisions.get(service) ?? []) {
    if (decision.action === "remove") continue;
    const resource = label(service, decision.number);
    const bounced = "observed" in decision ? draft.bounced.get(decision.observed.id) : undefined;
    if (decision.action === "keep" && bounced === undefined) {
      draft.plan.add(
        { resource, cause: decision.cause },
        { kind: "keep-container", container: decision.target, state: decision.observed.info.state },
      );
      continue;
    }
    conditions ??= conditionsOf(draft, service);
    const about = {
      resource,
      cause: bounced ?? startCause(decision),
      dependsOn: afterCreation(draft, [
        ...(draft.startable.get(decision.target.name) ?? []),
        ...conditions.dependsOn,
        ...(hooks.get(decision.target.name) ?? []),
      ]),
      after: conditions.after,
    };
    const container =
      decision.action === "create" || decision.action === "recreate"
        ? { name: decision.target.name, service }
        : decision.target;
    if (decision.action === "unpause" && bounced === undefined) {
      started.push(draft.plan.add(about, { kind: "unpause-container", container }));
      continue;
    }
    const postStart = hooksOfService(draft, service, "post_start");
    started.push(
      draft.plan.add(about, {
        kind: "start-container",
        container,
        ...(postStart === undefined ? {} : { postStart }),
      }),
    );
  }
  for (const id of started) draft.afterCreation.add(id);
  if (!draft.started.has(service)) draft.started.set(service, started);
}

/** What must hold before a container of the service may start. */
function conditionsOf(draft: UpDraft, service: string): Conditions {
  const { services } = draft.rec.project;
  const config = services[service];
  const dependsOn: number[] = [];
  const after: number[] = [];
  if (config === undefined) return { dependsOn, after };
  for (const [name, dependency] of dependenciesOf(config, services)) {
    const ids = [...(draft.started.get(name) ?? [])];
    if (dependency.condition !== "service_started" && services[name]?.provider === undefined) {
      const wait = waitFor(draft, name, dependency.condition, dependency.required, `${service} depends on it`);
      if (wait !== undefined) ids.push(wait);
    }
    (dependency.required ? dependsOn : after).push(...ids);
  }
  return { dependsOn, after };
}

function waitFor(
  draft: UpDraft,
  service: string,
  condition: "service_healthy" | "service_completed_successfully" | "service_running_or_healthy",
  required: boolean,
  cause: string,
): number | undefined {
  const key = `${service} ${condition} ${required}`;
  const known = draft.waits.get(key);
  if (known !== undefined) return known;
  const live = (draft.decisions.get(service) ?? []).filter(({ action }) => action !== "remove");
  if (live.length === 0) return undefined;
  const isHealthyNow = (decision: ContainerDecision): boolean =>
    decision.action === "keep" &&
    !draft.bounced.has(decision.observed.id) &&
    decision.observed.info.health === "healthy";
  if (condition === "service_healthy" && live.every(isHealthyNow)) return undefined;
  const id = draft.plan.add(
    { resource: `service ${service}`, cause, dependsOn: draft.started.get(service) ?? [] },
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
  draft.waits.set(key, id);
  return id;
}

/** `--wait`: the end of the plan is that everything is up. */
export function waitForAll(draft: UpDraft): void {
  const completes = new Set<string>();
  for (const config of Object.values(draft.rec.project.services)) {
    for (const [name, { condition }] of Object.entries(config.depends_on ?? {})) {
      if (condition === "service_completed_successfully") completes.add(name);
    }
  }
  for (const service of draft.order) {
    if (draft.rec.project.services[service]?.provider !== undefined) continue;
    const condition = completes.has(service) ? "service_completed_successfully" : "service_running_or_healthy";
    waitFor(draft, service, condition, true, "--wait");
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
