/** The plan of `run`: a container outside the service's numbering that waits for the service's dependencies. Pure. */
import type { Project, Service } from "../compose/model.js";
import type { ContainerSpec } from "../engine/types.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import { dependenciesOf } from "./dependency-order.js";
import { LABEL, withoutOurs } from "./labels.js";
import { imageKey, imageName, type Separator } from "./names.js";
import { isActive, type Observed } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import { serviceConfig, serviceSpec } from "./service-spec/index.js";

/** The container of one `run`. */
export interface OneOffRequest {
  readonly service: string;
  /** Twelve random hex digits: the end of the name and the `slug` label. */
  readonly slug: string;
  readonly name?: string;
  readonly separator?: Separator;
  /** Publish the ports of the (already changed) service. */
  readonly publish: boolean;
  readonly useAliases: boolean;
  /** Who removes it when it has ended: the engine, the command that runs it, or nobody. */
  readonly removal: "engine" | "command" | "none";
  readonly stdinOpen: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly waitForDependencies: boolean;
}

/** The service as the one-off needs it: without its fixed name, restart policy and scale. */
export function withoutServiceTraits(config: Service): Service {
  const { container_name: _n, restart: _r, scale: _s, deploy, ...rest } = config;
  if (deploy === undefined) return rest;
  const { restart_policy: _p, replicas: _c, ...kept } = deploy;
  return { ...rest, deploy: kept };
}

/** Waits, then creates; starting is the caller's (it attaches first). `project` holds the service as it shall run. */
export function planOneOff(
  project: Project,
  observed: Observed,
  request: OneOffRequest,
): { readonly plan: Plan; readonly name: string } {
  const plan = new PlanBuilder(project.name);
  const { service } = request;
  const separator = request.separator ?? "-";
  const config = serviceConfig(project, service);
  const name = request.name ?? [project.name, service, "run", request.slug].join(separator);
  const isRunning = observed.containers.some((c) => c.service === service && isActive(c));
  const firstOf = (other: string, what: string): string => {
    const found = observed.containers.find((container) => container.service === other && !container.oneOff);
    if (found !== undefined) return found.id;
    throw new TscError("TSC_CONTAINER_MISSING", `cannot share ${what} with service ${other}: container missing`, {
      kind: "not-found",
    });
  };
  const base = serviceSpec({
    project,
    service,
    number: 1,
    separator,
    imageId:
      observed.images.get(imageKey(imageName(project.name, service, config, separator), config.platform))?.id ?? "",
    containerOf: firstOf,
    warn: (message) => plan.warn(message),
  });
  const spec: ContainerSpec = {
    ...base,
    name,
    tty: request.tty,
    stdinOpen: request.stdinOpen,
    stdinOnce: request.stdinOnce,
    autoRemove: request.removal === "engine",
    ...(request.removal === "command" ? { removedByMaker: true } : {}),
    ports: request.publish ? (base.ports ?? []) : [],
    networks: (base.networks ?? []).map(({ ipv4, ipv6, mac, aliases, ...attachment }) => ({
      ...attachment,
      // A fixed address belongs to the service's own container while that runs.
      ...(isRunning ? {} : given({ ipv4, ipv6, mac })),
      aliases: request.useAliases ? [...new Set([name, ...(aliases ?? []).slice(1)])] : [name],
    })),
    labels: {
      ...base.labels,
      ...withoutOurs(request.labels, `service ${service}`, (message) => plan.warn(message)),
      [LABEL.oneOff]: "True",
      [LABEL.slug]: request.slug,
      [LABEL.project]: project.name,
      [LABEL.service]: service,
    },
  };
  const waits: number[] = [];
  const optional: number[] = [];
  if (request.waitForDependencies) {
    for (const [other, dependency] of dependenciesOf(config, { ...project.disabledServices, ...project.services })) {
      const containers = observed.containers.filter((container) => container.service === other && !container.oneOff);
      if (dependency.condition === "service_started" || containers.length === 0) continue;
      const id = plan.add(
        { resource: `service ${other}`, cause: `${service} depends on it` },
        {
          kind: "wait-service",
          service: other,
          containers: containers.map(({ id: container, name: containerName }) => ({
            name: containerName,
            id: container,
            service: other,
          })),
          condition: dependency.condition,
          required: dependency.required,
        },
      );
      (dependency.required ? waits : optional).push(id);
    }
  }
  plan.add(
    { resource: `container ${name}`, cause: "run", dependsOn: waits, after: optional },
    { kind: "create-container", container: { name, service }, spec },
  );
  return { plan: plan.build(), name };
}
