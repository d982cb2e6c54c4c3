/** Checks that the parts of a project fit together: references exist, exclusive attributes exclude each other. */

import { nearest } from "../../lib/nearest.js";
import type { Project, Service } from "../model.js";
import { isNamespace, serviceReferences } from "../references.js";
import { dependencyCycle } from "../resource-graph.js";
import type { Path } from "../tree.js";

/** Reports a problem at a path of the model. */
export type Report = (message: string, path: Path, hint?: string) => void;
type Facts = Pick<Project, "services" | "disabledServices" | "networks" | "volumes" | "secrets" | "configs" | "models">;

const INVALID = ": invalid compose project";

/** Reports everything that is inconsistent. */
export function checkConsistency(project: Facts, report: Report): void {
  const everyService = { ...project.disabledServices, ...project.services };
  for (const [name, service] of Object.entries(project.services))
    checkService(name, service, project, everyService, report);
  for (const [name, secret] of Object.entries(project.secrets)) {
    if (secret.external !== true && secret.file === undefined && secret.environment === undefined) {
      report(`secret ${JSON.stringify(name)} must declare either \`file\` or \`environment\`${INVALID}`, [
        "secrets",
        name,
      ]);
    }
  }
  const cycle = dependencyCycle(project.services);
  if (cycle !== undefined)
    report(`dependency cycle detected: ${cycle.join(" -> ")}`, [
      "services",
      cycle[0] ?? "",
      "depends_on",
      cycle[1] ?? "",
    ]);
}

function checkService(name: string, service: Service, project: Facts, known: Facts["services"], report: Report): void {
  const at: Path = ["services", name];
  const quoted = JSON.stringify(name);
  if (
    service.build === undefined &&
    service.image === undefined &&
    service.provider === undefined &&
    service["x-podman.rootfs"] === undefined
  ) {
    report(
      `service ${quoted} has neither an image nor a build context specified${INVALID}`,
      at,
      "give it an image or a build",
    );
  }
  if (service.build?.dockerfile !== undefined && service.build.dockerfile_inline !== undefined) {
    report(`service ${quoted} declares mutualy exclusive dockerfile and dockerfile_inline${INVALID}`, [...at, "build"]);
  }
  checkPlatform(service, at, report);
  if (service.network_mode !== undefined && Object.keys(service.networks ?? {}).length > 0) {
    report(`service ${name} declares mutually exclusive \`network_mode\` and \`networks\`${INVALID}`, [
      ...at,
      "networks",
    ]);
  }
  for (const network of Object.keys(service.networks ?? {})) {
    if (project.networks[network] === undefined) {
      report(
        `service ${quoted} refers to undefined network ${network}${INVALID}`,
        [...at, "networks", network],
        didYouMean(network, project.networks),
      );
    }
  }
  checkHealthcheck(service, at, report);
  checkDependencies(name, service, project, known, at, report);
  checkReferences(name, service, project, at, report);
  checkLimits(service, name, at, report);
}

/** Two services that are asked for together cannot share a container name; each alone can have it. */
export function checkContainerNames({ services }: Pick<Project, "services">, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { container_name }] of Object.entries(services)) {
    if (container_name === undefined) continue;
    const owner = owners.get(container_name);
    if (owner !== undefined) {
      report(
        `services.${name}: container name ${JSON.stringify(container_name)} is already in use by service ${JSON.stringify(owner)}${INVALID}`,
        ["services", name, "container_name"],
      );
    }
    owners.set(container_name, name);
  }
}

function checkPlatform(service: Service, at: Path, report: Report): void {
  const platforms = service.build?.platforms;
  if (service.platform === undefined || platforms === undefined || platforms.includes(service.platform)) return;
  report(`service.build.platforms MUST include service.platform ${JSON.stringify(service.platform)}${INVALID}`, [
    ...at,
    "build",
    "platforms",
  ]);
}

function checkHealthcheck(service: Service, at: Path, report: Report): void {
  const test = service.healthcheck?.test;
  const first = test?.[0];
  if (first === undefined || ["CMD", "CMD-SHELL", "NONE"].includes(first)) return;
  report('healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"', [...at, "healthcheck", "test"]);
}

function checkDependencies(
  name: string,
  service: Service,
  project: Facts,
  known: Facts["services"],
  at: Path,
  report: Report,
): void {
  for (const [dependency, { required }] of Object.entries(service.depends_on ?? {})) {
    if (project.services[dependency] !== undefined) continue;
    const disabled = project.disabledServices[dependency];
    if (disabled !== undefined && !required) continue;
    const hint =
      disabled === undefined
        ? didYouMean(dependency, known)
        : `its profiles are not active: ${(disabled.profiles ?? []).join(", ")}`;
    report(
      `service ${JSON.stringify(name)} depends on undefined service ${JSON.stringify(dependency)}${INVALID}`,
      [...at, "depends_on", dependency],
      hint,
    );
  }
  for (const { how, service: target, path } of serviceReferences(service)) {
    if (!isNamespace(how)) continue;
    if (known[target] === undefined && service.depends_on?.[target] === undefined) {
      report(
        `service ${JSON.stringify(name)} depends on undefined service ${JSON.stringify(target)}${INVALID}`,
        [...at, ...path],
        didYouMean(target, known),
      );
    }
  }
}

function checkReferences(name: string, service: Service, project: Facts, at: Path, report: Report): void {
  const quoted = JSON.stringify(name);
  (service.volumes ?? []).forEach((volume, i) => {
    if (volume.type !== "volume" || volume.source === undefined) return;
    if (project.volumes[volume.source] === undefined) {
      report(
        `service ${quoted} refers to undefined volume ${volume.source}${INVALID}`,
        [...at, "volumes", i],
        didYouMean(volume.source, project.volumes),
      );
    }
  });
  (service.build?.secrets ?? []).forEach((secret, i) => {
    const source = secret.source ?? "";
    if (project.secrets[source] === undefined) {
      report(
        `service ${quoted} refers to undefined build secret ${source}${INVALID}`,
        [...at, "build", "secrets", i],
        didYouMean(source, project.secrets),
      );
    }
  });
  for (const kind of ["configs", "secrets"] as const) {
    (service[kind] ?? []).forEach((reference, i) => {
      const source = reference.source ?? "";
      if (project[kind][source] !== undefined) return;
      report(
        `service ${quoted} refers to undefined ${kind.slice(0, -1)} ${source}${INVALID}`,
        [...at, kind, i],
        didYouMean(source, project[kind]),
      );
    });
  }
  for (const model of Object.keys(service.models ?? {})) {
    if (project.models[model] === undefined)
      report(
        `service ${quoted} refers to undefined model ${model}${INVALID}`,
        [...at, "models", model],
        didYouMean(model, project.models),
      );
  }
  const targets = new Map<string, string>();
  (service.volumes ?? []).forEach((volume, i) => {
    if (volume.target === undefined) return;
    const earlier = targets.get(volume.target);
    const place = `services.${name}.volumes[${i}]`;
    if (earlier !== undefined)
      report(`${place}: target ${volume.target} already mounted as ${earlier}`, [...at, "volumes", i]);
    targets.set(volume.target, place);
  });
  (service.tmpfs ?? []).forEach((entry, i) => {
    const target = entry.split(":")[0] ?? "";
    const earlier = targets.get(target);
    const place = `services.${name}.tmpfs[${i}]`;
    if (earlier !== undefined) report(`${place}: target ${target} already mounted as ${earlier}`, [...at, "tmpfs", i]);
    targets.set(target, place);
  });
  (service.develop?.watch ?? []).forEach(({ action, target }, i) => {
    if (action === "rebuild" || action === "restart" || target !== undefined) return;
    report(
      `services.${name}.develop.watch: target is required for non-rebuild actions${INVALID}`,
      [...at, "develop", "watch", i],
      `write where in the container the files of \`path\` go`,
    );
  });
  for (const { how, service: dependency, path } of serviceReferences(service)) {
    if (how !== "build") continue;
    const context = String(path.at(-1));
    const base = project.services[dependency] ?? project.disabledServices[dependency];
    if (base !== undefined && base.build === undefined) {
      report(
        `service ${quoted} declares non-buildable service ${JSON.stringify(dependency)} as additional contexts ${context}`,
        [...at, "build", "additional_contexts"],
        `give ${JSON.stringify(dependency)} a build`,
      );
    }
    if (base === undefined) {
      report(
        `service ${quoted} depends on undefined service ${JSON.stringify(dependency)}${INVALID}`,
        [...at, "build", "additional_contexts"],
        didYouMean(dependency, project.services),
      );
    }
  }
}

/** Pairs of an attribute and its `deploy` twin that must not disagree. */
function checkLimits(service: Service, name: string, at: Path, report: Report): void {
  const limits = service.deploy?.resources.limits;
  const reservations = service.deploy?.resources.reservations;
  const pairs: readonly (readonly [string, unknown, string, unknown])[] = [
    ["mem_limit", service.mem_limit, "deploy.resources.limits.memory", limits?.memory],
    ["cpus", service.cpus, "deploy.resources.limits.cpus", limits?.cpus],
    ["pids_limit", service.pids_limit, "deploy.resources.limits.pids", limits?.pids],
    ["mem_reservation", service.mem_reservation, "deploy.resources.reservations.memory", reservations?.memory],
    ["scale", service.scale, "deploy.replicas", service.deploy?.replicas],
  ];
  for (const [key, value, twin, other] of pairs) {
    if (value === undefined || other === undefined || value === other) continue;
    report(`services.${name}: can't set distinct values on '${key}' and '${twin}'${INVALID}`, [...at, key]);
  }
  for (const [path, count] of [
    ["scale", service.scale],
    ["deploy.replicas", service.deploy?.replicas],
  ] as const) {
    if (count !== undefined && count < 0)
      report(`services.${name}.${path}: must be greater than or equal to 0`, [...at, ...path.split(".")]);
  }
  const replicas = service.scale ?? service.deploy?.replicas ?? 1;
  if (service.container_name !== undefined && replicas > 1) {
    const twin = service.scale !== undefined ? "scale" : "deploy.replicas";
    report(
      `services.${name}: can't set container_name and ${service.deploy?.replicas === undefined ? "scale" : twin} as container name must be unique${INVALID}`,
      [...at, "container_name"],
    );
  }
}

function didYouMean(name: string, known: object): string | undefined {
  const near = nearest(name, Object.keys(known));
  return near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`;
}
