/** Which services of a project are active: profiles, named services with their dependencies, resources still used. */
import type { TscError } from "../../lib/errors.js";
import { nearest } from "../../lib/nearest.js";
import type { Project, Service } from "../model.js";
import { noSuchService } from "../no-such-service.js";

type Services = Readonly<Record<string, Service>>;

/** The project with the services of these profiles active; `*` is all of them. */
export function withProfiles<P extends Pick<Project, "services" | "disabledServices" | "profiles">>(
  project: P,
  profiles: readonly string[],
): P {
  const all: Services = { ...project.disabledServices, ...project.services };
  return split(project, profiles, (name) => {
    const own = all[name]?.profiles ?? [];
    // `profiles: ["${P:-}"]` with P unset: without any chosen profile the empty one counts as chosen
    if (profiles.length === 0 && own.includes("")) return true;
    return own.length === 0 || profiles.includes("*") || own.some((profile) => profiles.includes(profile));
  });
}

function split<P extends Pick<Project, "services" | "disabledServices" | "profiles">>(
  project: P,
  profiles: readonly string[],
  isActive: (name: string) => boolean,
): P {
  const all: Services = { ...project.disabledServices, ...project.services };
  const services = Object.create(null) as Record<string, Service>;
  const disabledServices = Object.create(null) as Record<string, Service>;
  for (const name of Object.keys(all).sort()) {
    const service = all[name];
    if (service !== undefined) (isActive(name) ? services : disabledServices)[name] = service;
  }
  return { ...project, services, disabledServices, profiles };
}

/** Naming a service activates its profiles. Throws TSC_COMPOSE_SERVICE_UNKNOWN. */
export function enableServices<P extends Project>(project: P, names: readonly string[]): P {
  if (names.length === 0) return project;
  const profiles = new Set(project.profiles);
  const active = new Set(Object.keys(project.services));
  for (const name of names) {
    const service = project.services[name] ?? project.disabledServices[name];
    if (service === undefined) throw unknown(project, name);
    if (active.has(name)) continue;
    active.add(name);
    for (const profile of service.profiles ?? []) profiles.add(profile);
  }
  const chosen = [...profiles];
  return split(project, chosen, (name) => {
    const own = (project.services[name] ?? project.disabledServices[name])?.profiles ?? [];
    return active.has(name) || own.some((profile) => profiles.has(profile));
  });
}

/** Only these services and, unless `dependencies` is false, what they depend on. Throws TSC_COMPOSE_SERVICE_UNKNOWN. */
export function selectServices<P extends Project>(project: P, names: readonly string[], dependencies = true): P {
  if (names.length === 0) return project;
  const wanted = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (wanted.has(name)) continue;
    const service = project.services[name];
    if (service === undefined) {
      if (names.includes(name)) throw unknown(project, name);
      continue;
    }
    wanted.add(name);
    if (dependencies) queue.push(...Object.keys(service.depends_on ?? {}));
  }
  return split(project, project.profiles, (name) => wanted.has(name));
}

function unknown(project: Project, name: string): TscError {
  const near = nearest(name, [...Object.keys(project.services), ...Object.keys(project.disabledServices)]);
  return noSuchService(
    name,
    near === undefined ? "see `tscompose config --services`" : `did you mean ${JSON.stringify(near)}?`,
  );
}

/** The project without the networks, volumes, secrets, configs and models that no active service uses. */
export function pruneResources<P extends Project>(project: P): P {
  const used = {
    networks: new Set<string>(),
    volumes: new Set<string>(),
    secrets: new Set<string>(),
    configs: new Set<string>(),
    models: new Set<string>(),
  };
  for (const service of Object.values(project.services)) {
    for (const name of Object.keys(service.networks ?? {})) used.networks.add(name);
    for (const volume of service.volumes ?? [])
      if (volume.type === "volume" && volume.source !== undefined) used.volumes.add(volume.source);
    for (const secret of [...(service.secrets ?? []), ...(service.build?.secrets ?? [])])
      used.secrets.add(secret.source ?? "");
    for (const config of service.configs ?? []) used.configs.add(config.source ?? "");
    for (const name of Object.keys(service.models ?? {})) used.models.add(name);
  }
  return {
    ...project,
    networks: keep(project.networks, used.networks),
    volumes: keep(project.volumes, used.volumes),
    secrets: keep(project.secrets, used.secrets),
    configs: keep(project.configs, used.configs),
    models: keep(project.models, used.models),
  };
}

function keep<T>(map: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> {
  const kept = Object.create(null) as Record<string, T>;
  for (const key in map) if (names.has(key)) kept[key] = map[key] as T;
  return kept;
}
