/** Who must be up before whom. Built from `depends_on` and the implicit dependencies of shared namespaces, volumes and links. Pure. */
import type { Dependency, Service } from "../compose/model.js";
import { impliedDependency, serviceReferences } from "../compose/references.js";

type Services = Readonly<Record<string, Service>>;

/** Every dependency of a service, explicit first; names that are not services of the project are left out. */
export function dependenciesOf(config: Service, services: Services): ReadonlyMap<string, Dependency> {
  const found = new Map<string, Dependency>();
  for (const name of Object.keys(config.depends_on ?? {}).sort()) {
    const dependency = config.depends_on?.[name];
    if (dependency !== undefined && services[name] !== undefined) found.set(name, dependency);
  }
  for (const reference of serviceReferences(config)) {
    const implied = impliedDependency(reference);
    const { service: name } = reference;
    if (implied === undefined || services[name] === undefined || found.has(name)) continue;
    found.set(name, { condition: "service_started", restart: implied.restart, required: true });
  }
  return found;
}

/** Service names, dependencies before dependents, otherwise by name. Cycles (refused at load) are cut. */
export function inDependencyOrder(services: Services): string[] {
  const order: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (name: string): void => {
    if (state.has(name)) return;
    state.set(name, "open");
    const config = services[name];
    if (config !== undefined) for (const dependency of dependenciesOf(config, services).keys()) visit(dependency);
    state.set(name, "done");
    order.push(name);
  };
  for (const name of Object.keys(services).sort()) visit(name);
  return order;
}

/** Direct dependents of each service, sorted. */
export function dependentsOf(services: Services): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const name of Object.keys(services).sort()) {
    const config = services[name];
    if (config === undefined) continue;
    for (const dependency of dependenciesOf(config, services).keys()) {
      const known = dependents.get(dependency);
      if (known === undefined) dependents.set(dependency, [name]);
      else known.push(name);
    }
  }
  return dependents;
}

/** Dependencies told by the `depends_on` label (`db:service_started:true,…`); used when there is no compose file. */
export function parseDependsOnLabel(label: string | undefined): ReadonlyMap<string, Dependency> {
  const found = new Map<string, Dependency>();
  for (const part of (label ?? "").split(",")) {
    const [name = "", condition = "service_started", restart = "false"] = part.split(":");
    if (name === "") continue;
    found.set(name, {
      condition:
        condition === "service_healthy" || condition === "service_completed_successfully"
          ? condition
          : "service_started",
      restart: restart === "true",
      required: true,
    });
  }
  return found;
}
