/**
 * One compose service → one engine ContainerSpec. Pure: same project and options, same spec. Whatever the engine cannot honour
 * becomes a warning that names it, or an error; nothing is dropped in silence.
 */
import { limitsMet } from "../../compose/attributes/index.js";
import type { FileReference, Project, Service } from "../../compose/model.js";
import { noSuchService } from "../../compose/no-such-service.js";
import type { ContainerSpec, Healthcheck, LoggingSpec, RestartPolicy } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { filesHash, serviceHash } from "../hash.js";
import { COMPOSE_VERSION, LABEL, withoutOurs } from "../labels.js";
import { sayLimits } from "../limits.js";
import { containerName, imageName } from "../names.js";
import { fileInjections } from "./files.js";
import { mountSpecs } from "./mounts.js";
import { namespaceFields } from "./namespaces.js";
import { networkFields } from "./networking.js";
import { deviceFields, resourceFields } from "./resources.js";
import { invalid, placed } from "./service-error.js";
import { duration, type SpecRequest } from "./values.js";

/** The spec of replica `number`. Errors, with the place of the attribute: TSC_SERVICE_UNSUPPORTED, TSC_SECRET_EXTERNAL, TSC_ENVIRONMENT_UNSET and value errors that name service and attribute. */
export function serviceSpec(request: SpecRequest): ContainerSpec {
  return placed(request.project, request.service, () => specOf(request));
}

function specOf(request: SpecRequest): ContainerSpec {
  const { project, service, number } = request;
  const config = serviceConfig(project, service);
  sayServiceLimits(request, config);
  return clean({
    ...processFields(service, config),
    name: containerName(project.name, service, config, number, request.separator),
    image: config["x-podman.rootfs"] === undefined ? imageName(project.name, service, config, request.separator) : "",
    ...(typeof config["x-podman.rootfs"] === "string" ? { rootfs: config["x-podman.rootfs"] } : {}),
    labels: containerLabels(request, config),
    ...given({ annotations: config.annotations }),
    mounts: mountSpecs(project, service, config),
    ...volumesFrom(request, config),
    files: fileInjections(project, service, config),
    ...networkFields(request, config),
    ...namespaceFields(service, config, request.containerOf),
    ...securityFields(config),
    ...deviceFields(service, config),
    resources: resourceFields(service, config),
    ...given({
      healthcheck: healthcheck(service, config),
      restart: restartPolicy(service, config),
      logging: logging(config),
      platform: config.platform,
      runtime: config.runtime,
      noHosts: request.noHosts === true || config["x-podman.no_hosts"] === true ? true : undefined,
    }),
  });
}

/** Of the service and of the files that it reads; what its build asks for is said where that is made. */
function sayServiceLimits({ project, service, warn }: SpecRequest, config: Service): void {
  const files = (section: "secrets" | "configs", references: readonly FileReference[] = []) =>
    references.flatMap(({ source = "" }) => limitsMet(section, source, project[section][source] ?? {}));
  const { build: _build, ...container } = config;
  sayLimits(
    [
      ...limitsMet("services", service, container),
      ...files("configs", config.configs),
      ...files("secrets", config.secrets),
    ],
    project,
    warn,
  );
}

/** The service, active or not; TSC_COMPOSE_SERVICE_UNKNOWN (`no such service: x`). */
export function serviceConfig(project: Project, service: string): Service {
  const config = project.services[service] ?? project.disabledServices[service];
  if (config === undefined) {
    throw noSuchService(service, `known services: ${Object.keys(project.services).sort().join(", ") || "none"}`);
  }
  return config;
}

function processFields(service: string, config: Service): Partial<ContainerSpec> {
  const stopTimeoutMs = duration(service, "stop_grace_period", config.stop_grace_period);
  return {
    ...given({ entrypoint: config.entrypoint ?? undefined, command: config.command ?? undefined }),
    ...given({
      env: config.environment,
      workingDir: config.working_dir,
      user: config.user,
      groupAdd: config.group_add,
      hostname: config.hostname,
      domainname: config.domainname,
      tty: config.tty,
      stdinOpen: config.stdin_open,
      init: config.init,
      stopSignal: config.stop_signal,
      stopTimeoutMs,
    }),
  };
}

function securityFields(config: Service): Partial<ContainerSpec> {
  return {
    ...given({
      privileged: config.privileged,
      capAdd: config.cap_add,
      capDrop: config.cap_drop,
      securityOpt: config.security_opt,
      readOnly: config.read_only,
      sysctls: config.sysctls,
      oomScoreAdj: config.oom_score_adj,
      cgroupParent: config.cgroup_parent,
    }),
  };
}

/** Labels of the person first, ours last: they cannot be overridden. */
function containerLabels(request: SpecRequest, config: Service): Record<string, string> {
  const { project, service, number } = request;
  const dependsOn = Object.entries(config.depends_on ?? {})
    .map(([name, dependency]) => `${name}:${dependency.condition}:${dependency.restart === true}`)
    .sort()
    .join(",");
  const files = filesHash(project, config);
  return {
    ...withoutOurs(config.labels ?? {}, `service ${service}`, request.warn),
    [LABEL.project]: project.name,
    [LABEL.service]: service,
    [LABEL.version]: COMPOSE_VERSION,
    [LABEL.workingDir]: project.workingDir,
    [LABEL.configFiles]: project.configFiles.join(","),
    ...(project.envFiles.length > 0 ? { [LABEL.environmentFile]: project.envFiles.join(",") } : {}),
    [LABEL.oneOff]: "False",
    [LABEL.configHash]: serviceHash(config),
    [LABEL.number]: String(number),
    [LABEL.dependsOn]: dependsOn,
    ...(request.imageId === "" ? {} : { [LABEL.image]: request.imageId }),
    ...((request.imageVolumeIds?.length ?? 0) > 0
      ? { [LABEL.imageVolumeDigest]: (request.imageVolumeIds ?? []).join(",") }
      : {}),
    ...(files === "" ? {} : { [LABEL.files]: files }),
  };
}

function volumesFrom(request: SpecRequest, config: Service): Partial<ContainerSpec> {
  if ((config.volumes_from?.length ?? 0) === 0) return {};
  return {
    volumesFrom: (config.volumes_from ?? []).map((text) => {
      const isContainer = text.startsWith("container:");
      const [name = "", mode = "rw"] = (isContainer ? text.slice("container:".length) : text).split(":");
      if (mode !== "rw" && mode !== "ro") throw invalid(request.service, "volumes_from", text);
      return { container: isContainer ? name : request.containerOf(name, "volume"), readOnly: mode === "ro" };
    }),
  };
}

function healthcheck(service: string, config: Service): Healthcheck | undefined {
  const check = config.healthcheck;
  if (check === undefined) return undefined;
  if (check.disable === true) return { test: ["NONE"] };
  if (check.start_interval !== undefined && check.start_period === undefined) {
    throw new TscError(
      "TSC_HEALTHCHECK_INVALID",
      `service "${service}": healthcheck.start_interval requires healthcheck.start_period to be set`,
      { kind: "invalid-input" },
    );
  }
  return {
    test: check.test ?? [],
    ...given({
      intervalMs: duration(service, "healthcheck.interval", check.interval),
      timeoutMs: duration(service, "healthcheck.timeout", check.timeout),
      retries: check.retries,
      startPeriodMs: duration(service, "healthcheck.start_period", check.start_period),
      startIntervalMs: duration(service, "healthcheck.start_interval", check.start_interval),
    }),
  };
}

/** `deploy.restart_policy` wins over `restart`, as in the reference, which knows the words of both for its condition. */
function restartPolicy(service: string, config: Service): RestartPolicy | undefined {
  const deploy = config.deploy?.restart_policy;
  if (deploy !== undefined) {
    switch (deploy.condition ?? "any") {
      case "none":
      case "no":
        return { policy: "no" };
      case "on-failure":
        return { policy: "on-failure", ...given({ maxRetries: deploy.max_attempts }) };
      case "any":
      case "unless-stopped":
        return { policy: "unless-stopped" };
      case "always":
        return { policy: "always" };
      default:
        throw invalid(service, "deploy.restart_policy.condition", deploy.condition ?? "");
    }
  }
  if (config.restart === undefined || config.restart === "") return undefined;
  const [policy = "", retries] = config.restart.split(":");
  const maxRetries = retries === undefined ? undefined : Number(retries);
  if (
    (policy !== "no" && policy !== "always" && policy !== "on-failure" && policy !== "unless-stopped") ||
    (maxRetries !== undefined && (!Number.isSafeInteger(maxRetries) || maxRetries < 0 || policy !== "on-failure"))
  ) {
    throw invalid(service, "restart", config.restart);
  }
  return { policy, ...given({ maxRetries }) };
}

function logging(config: Service): LoggingSpec | undefined {
  if (config.logging === undefined) return undefined;
  return { driver: config.logging.driver ?? "", options: config.logging.options ?? {} };
}

/** Leaves out empty lists and objects whose absence means the same; entrypoint and command keep theirs (empty clears). */
function clean(spec: ContainerSpec): ContainerSpec {
  const kept = Object.entries(spec).filter(([key, value]) => {
    if (key === "entrypoint" || key === "command") return true;
    if (typeof value !== "object" || value === null) return value !== undefined;
    return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
  });
  return Object.fromEntries(kept) as unknown as ContainerSpec;
}
