/** A service's `build` section as an engine BuildRequest. Pure; what the builder cannot honour is told. */
import { limitsMet } from "../compose/attributes/index.js";
import type { Build, Project, Service } from "../compose/model.js";
import { namedService } from "../compose/references.js";
import type { BuildRequest, Entitlement, SshForward } from "../engine/api.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import { sshForwards } from "./build-ssh.js";
import { inlineContent } from "./hash.js";
import { LABEL } from "./labels.js";
import { sayLimits } from "./limits.js";
import { imageName, type Separator } from "./names.js";
import { bytes } from "./service-spec/resources.js";

/** What the command line says of builds. */
export interface BuildOptions {
  readonly separator: Separator;
  readonly platform?: string;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly args?: Readonly<Record<string, string>>;
  /** What the command line grants every build. */
  readonly allow?: readonly Entitlement[];
  /** `--ssh`. */
  readonly ssh?: readonly SshForward[];
  readonly warn: (message: string) => void;
}

/** Errors: TSC_SERVICE_INVALID, TSC_BUILD_ENTITLEMENT, TSC_BUILD_SSH, TSC_ENVIRONMENT_UNSET, TSC_SECRET_EXTERNAL. */
export function buildRequest(
  project: Project,
  service: string,
  config: Service,
  options: BuildOptions,
): Omit<BuildRequest, "onProgress" | "signal"> {
  const build = config.build ?? {};
  sayLimits(limitsMet("services", service, { build }), project, options.warn);
  const { platform } = options;
  return {
    context: build.context ?? project.workingDir,
    ...given({ dockerfileInline: build.dockerfile_inline }),
    ...(build.dockerfile === undefined || build.dockerfile_inline !== undefined
      ? {}
      : { dockerfile: build.dockerfile }),
    tags: [...new Set([imageName(project.name, service, config, options.separator), ...(build.tags ?? [])])],
    args: { ...buildArgs(project, build), ...options.args },
    ...given({ target: build.target }),
    labels: { ...build.labels, [LABEL.project]: project.name, [LABEL.service]: service },
    ...(build.no_cache === true || options.noCache === true ? { noCache: true } : {}),
    ...(build.pull === true || options.pull === true ? { pull: true } : {}),
    ...given({ platform, network: build.network }),
    ...shmSize(service, build),
    extraHosts: (build.extra_hosts ?? []).map((entry) => {
      const at = entry.search(/[=:]/);
      return { host: entry.slice(0, at), ip: entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1") };
    }),
    ulimits: Object.entries(build.ulimits ?? {}).map(([name, limit]) =>
      typeof limit === "number"
        ? { name, soft: limit, hard: limit }
        : { name, soft: limit.soft ?? limit.hard ?? 0, hard: limit.hard ?? limit.soft ?? 0 },
    ),
    secrets: (build.secrets ?? []).map((reference) =>
      secret(project, service, reference.source ?? "", reference.target),
    ),
    ...ssh(build, options),
    additionalContexts: additionalContexts(project, build, options.separator),
    ...entitlements(service, build, options),
  };
}

/**
 * DOCKER_BUILDKIT=0 asks for docker's classic builder. There is one builder here, and what the classic one lacks is refused as docker compose
 * does: `TSC_BUILD_CLASSIC`.
 */
export function checkClassicBuilder(service: string, build: Build): void {
  const lacking: readonly [boolean, string][] = [
    [(build.platforms ?? []).length > 1, "multi-arch build"],
    [build.privileged === true, "privileged mode"],
    [Object.keys(build.additional_contexts ?? {}).length > 0, "additional contexts"],
    [(build.ssh ?? []).length > 0, "SSH keys"],
    [(build.secrets ?? []).length > 0, "secrets"],
  ];
  const what = lacking.find(([isUsed]) => isUsed)?.[1];
  if (what === undefined) return;
  const message = `the classic builder doesn't support ${what}, set DOCKER_BUILDKIT=1 to use BuildKit`;
  throw new TscError("TSC_BUILD_CLASSIC", message, {
    kind: "unsupported",
    hint: `service "${service}" needs it; DOCKER_BUILDKIT is 0 in the environment or .env`,
  });
}

/** A bare argument takes its value from the environment, and is left out when that has none. */
function buildArgs(project: Project, build: Build): Record<string, string> {
  const args: Record<string, string> = {};
  for (const [key, value] of Object.entries(build.args ?? {})) {
    const resolved = value ?? project.environment[key];
    if (resolved !== undefined) args[key] = resolved;
  }
  return args;
}

/** `privileged` is docker compose's older word for security.insecure: it lets RUN steps ask, and gives nothing to those that do not. */
function entitlements(service: string, build: Build, options: BuildOptions): { allow?: readonly Entitlement[] } {
  const listed = (build.entitlements ?? []).map((name) =>
    entitlement(name, `service "${service}": build.entitlements`),
  );
  const privileged = build.privileged === true ? (["security.insecure"] as const) : [];
  const allow = [...new Set([...listed, ...privileged, ...(options.allow ?? [])])];
  return allow.length === 0 ? {} : { allow };
}

/** The word as an entitlement; `TSC_BUILD_ENTITLEMENT` for any other. `where` begins the message. */
export function entitlement(name: string, where: string): Entitlement {
  if (name === "network.host" || name === "security.insecure") return name;
  throw new TscError("TSC_BUILD_ENTITLEMENT", `${where}: unknown entitlement ${JSON.stringify(name)}`, {
    kind: "invalid-input",
    hint: "known: network.host, security.insecure",
  });
}

function ssh(build: Build, options: BuildOptions): { ssh?: readonly SshForward[] } {
  const forwards = sshForwards(build.ssh ?? [], options.ssh ?? []);
  return forwards.length === 0 ? {} : { ssh: forwards };
}

function shmSize(service: string, build: Build): { shmSizeBytes?: number } {
  const size = bytes(service, "build.shm_size", build.shm_size);
  return given({ shmSizeBytes: size });
}

function secret(
  project: Project,
  service: string,
  source: string,
  target: string | undefined,
): { id: string; sourcePath?: string; content?: string } {
  const object = project.secrets[source];
  const id = target === undefined || target === "" ? source : (target.split("/").pop() ?? source);
  if (object?.external === true) {
    throw new TscError("TSC_SECRET_EXTERNAL", `service "${service}": unsupported external secret ${source}`, {
      kind: "unsupported",
    });
  }
  if (object?.file !== undefined) return { id, sourcePath: object.file };
  const content = inlineContent(project, object);
  if (content !== undefined) return { id, content };
  throw new TscError(
    "TSC_ENVIRONMENT_UNSET",
    `environment variable "${object?.environment ?? ""}" required by secret "${source}" is not set`,
    { kind: "invalid-input" },
  );
}

/** `service:x` becomes the image that x builds. */
function additionalContexts(project: Project, build: Build, separator: Separator): Record<string, string> {
  const contexts: Record<string, string> = {};
  for (const [name, context] of Object.entries(build.additional_contexts ?? {})) {
    const service = namedService(context);
    const config = service === undefined ? undefined : (project.services[service] ?? project.disabledServices[service]);
    contexts[name] =
      service === undefined || config === undefined
        ? context
        : `docker-image://${imageName(project.name, service, config, separator)}`;
  }
  return contexts;
}
