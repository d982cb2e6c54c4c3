/** Starts in the order of the dependencies, with the waits between them. */
import { dependenciesOf, dependentsOf } from "../dependency-order.js";
import type { ContainerFate } from "../reconcile/fate.js";
import { type Conditions, keyOf, lastTarget, liveOf, type Up } from "./context.js";
import { preStartHooks } from "./pre-start.js";
import { writerOf } from "./writers/index.js";

/** Services that a program outside runs: before the containers that need what they set. */
export function startProviders(up: Up): void {
  const { services } = up.rec.project;
  const dependents = dependentsOf(services);
  for (const service of up.order) {
    const config = services[service];
    if (config?.provider === undefined || up.rec.options.skipProviders === true) continue;
    const names = dependents.get(service) ?? [];
    const overridden = Object.fromEntries(names.map((name) => [name, Object.keys(services[name]?.environment ?? {})]));
    const dependsOn = [...dependenciesOf(config, services).keys()].flatMap((name) => up.ledger.after("started", name));
    const id = up.plan.add(
      { resource: `service ${service}`, cause: "is run by a provider", dependsOn },
      { kind: "run-provider", service, provider: config.provider, action: "up", dependents: names, overridden },
    );
    up.ledger.note("started", service, [id]);
  }
}

/** Starts the containers of a service that do not run. */
export function startService(up: Up, service: string): void {
  let found: Conditions | undefined;
  const conditions = (): Conditions => (found ??= conditionsOf(up, service));
  const hooks = preStartHooks(up, service, conditions);
  const started = liveOf(up, service).flatMap(
    (container) =>
      writerOf(container).start?.(up, container, { conditions, hooks: hooks.get(keyOf(container)) ?? [] }) ?? [],
  );
  up.ledger.noteBehindCreations(started);
  if (!up.ledger.has("started", service)) up.ledger.note("started", service, started);
}

/** What must hold before a container of the service may start. */
function conditionsOf(up: Up, service: string): Conditions {
  const { services } = up.rec.project;
  const config = services[service];
  const dependsOn: number[] = [];
  const after: number[] = [];
  if (config === undefined) return { dependsOn, after };
  for (const [name, dependency] of dependenciesOf(config, services)) {
    const ids = [...up.ledger.after("started", name)];
    if (dependency.condition !== "service_started" && services[name]?.provider === undefined) {
      ids.push(...waitFor(up, name, dependency.condition, dependency.required, `${service} depends on it`));
    }
    (dependency.required ? dependsOn : after).push(...ids);
  }
  return { dependsOn, after };
}

function waitFor(
  up: Up,
  service: string,
  condition: "service_healthy" | "service_completed_successfully" | "service_running_or_healthy",
  required: boolean,
  cause: string,
): readonly number[] {
  const key = `${service} ${condition} ${required}`;
  if (up.ledger.has("waited", key)) return up.ledger.after("waited", key);
  const live = liveOf(up, service);
  if (live.length === 0 || (condition === "service_healthy" && live.every(isHealthyNow))) return [];
  const id = up.plan.add(
    { resource: `service ${service}`, cause, dependsOn: up.ledger.after("started", service) },
    { kind: "wait-service", service, containers: live.map(lastTarget), condition, required },
  );
  up.ledger.note("waited", key, [id]);
  return [id];
}

function isHealthyNow(container: ContainerFate): boolean {
  return container.fate === "kept" && container.observed.info.health === "healthy";
}

/** `--wait`: the end of the plan is that everything is up. */
export function waitForAll(up: Up): void {
  const completes = new Set<string>();
  for (const config of Object.values(up.rec.project.services)) {
    for (const [name, { condition }] of Object.entries(config.depends_on ?? {})) {
      if (condition === "service_completed_successfully") completes.add(name);
    }
  }
  for (const service of up.order) {
    if (up.rec.project.services[service]?.provider !== undefined) continue;
    const condition = completes.has(service) ? "service_completed_successfully" : "service_running_or_healthy";
    waitFor(up, service, condition, true, "--wait");
  }
}
