/**
 * Which images must be pulled or built before containers are planned. Pure: looks at the project, the images that are stored and
 * the clock it is given.
 */
import type { Project, Service } from "../compose/model.js";
import { serviceReferences } from "../compose/references.js";
import type { Entitlement, SshForward } from "../engine/api.js";
import type { ImageInfo } from "../engine/types.js";
import { parseDurationMs } from "../lib/duration.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import { buildPlatforms } from "./build-platforms.js";
import { buildRequest, checkClassicBuilder } from "./build-request.js";
import { imageKey, imageName, type Separator, scaleOf } from "./names.js";
import { type Plan, PlanBuilder } from "./plan.js";

/** When an image is pulled: docker compose's words, and `policy` for each service's own. */
export type PullPolicy = "always" | "missing" | "never" | "newer" | "build" | "policy";

/** How `up` and its kin bring images. */
export interface ImageOptions {
  /** Overrides every service's pull_policy; `policy` leaves it. */
  readonly pull?: PullPolicy;
  /** `--build`: build whatever can be built. */
  readonly build?: boolean;
  /** `--no-build`. */
  readonly noBuild?: boolean;
  readonly separator?: Separator;
  readonly quietPull?: boolean;
  readonly quietBuild?: boolean;
  readonly noCache?: boolean;
  /** Look for newer base images. */
  readonly pullBase?: boolean;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** `--allow`. */
  readonly allow?: readonly Entitlement[];
  /** `--ssh`. */
  readonly ssh?: readonly SshForward[];
  /** Milliseconds since the epoch, for `daily`, `weekly` and `every_…`. */
  readonly now: number;
  /** Platform of services without one (DOCKER_DEFAULT_PLATFORM). */
  readonly defaultPlatform?: string;
  /** DOCKER_BUILDKIT=0. */
  readonly classicBuilder?: boolean;
  /** Builds are made for every platform that is listed, not only for the one that will run. */
  readonly everyPlatform?: boolean;
  /** `--scale`: services scaled to zero need no image. */
  readonly scale?: ReadonlyMap<string, number>;
}

/** Keys (`imageKey`) of images that planning needs to know about: of services, image volumes and hooks. */
export function imageReferences(project: Project, separator: Separator = "-"): string[] {
  const references = new Set<string>();
  for (const [name, config] of Object.entries(project.services)) {
    if (config.provider !== undefined) continue;
    references.add(imageKey(imageName(project.name, name, config, separator), config.platform));
    for (const volume of config.volumes ?? []) {
      if (volume.type === "image" && volume.source !== undefined) references.add(volume.source);
    }
    for (const hook of config.pre_start ?? []) if (hook.image !== undefined) references.add(hook.image);
  }
  return [...references].sort();
}

/** Pulls and builds, builds that others build upon first. TSC_IMAGE_NOT_FOUND when nothing is allowed to bring a missing image. */
export function planImages(project: Project, images: ReadonlyMap<string, ImageInfo>, options: ImageOptions): Plan {
  const plan = new PlanBuilder(project.name);
  const separator = options.separator ?? "-";
  const names = Object.keys(project.services).sort();
  const built = new Set<string>();
  for (const name of names) {
    const config = project.services[name];
    if (config?.build !== undefined) built.add(imageName(project.name, name, config, separator));
  }
  const builds = new Map<string, string>();
  const pulls = new Map<
    string,
    { image: string; services: string[]; cause: string; platform?: string; tolerant: boolean }
  >();
  const consider = (image: string, service: string, config: Service | undefined): void => {
    const pull = pullCause(image, service, config, images.get(imageKey(image, config?.platform)), built, options);
    if (pull === undefined) return;
    const platform = config?.platform ?? options.defaultPlatform;
    const tolerant = config?.build !== undefined;
    const known = pulls.get(imageKey(image, platform));
    if (known === undefined) {
      const wanted = given({ platform });
      pulls.set(imageKey(image, platform), { image, services: [service], cause: pull, tolerant, ...wanted });
    } else known.services.push(service);
  };
  for (const name of names) {
    const config = project.services[name];
    if (config === undefined || config.provider !== undefined) continue;
    if ((options.scale?.get(name) ?? scaleOf(config)) === 0) continue;
    const image = imageName(project.name, name, config, separator);
    const cause = buildCause(config, images.get(imageKey(image, config.platform)), options);
    if (cause !== undefined) builds.set(name, cause);
    consider(image, name, config);
    for (const volume of config.volumes ?? []) {
      if (volume.type === "image" && volume.source !== undefined) consider(volume.source, name, undefined);
    }
    for (const hook of config.pre_start ?? []) {
      if (hook.image !== undefined && hook.image !== image) consider(hook.image, name, undefined);
    }
  }
  const pulled = new Map<string, number>();
  for (const [key, { image, services, cause, platform, tolerant }] of [...pulls].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const id = plan.add(
      { resource: `image ${image}`, cause },
      {
        kind: "pull-image",
        image,
        services,
        ...given({ platform }),
        ...(tolerant ? { tolerant } : {}),
        ...(options.quietPull === true ? { quiet: true } : {}),
      },
    );
    pulled.set(key, id);
  }
  addBuilds(plan, project, builds, options);
  return plan.build();
}

/** Adds build operations for services (and, transitively, for services whose image they build upon). */
export function addBuilds(
  plan: PlanBuilder,
  project: Project,
  builds: ReadonlyMap<string, string>,
  options: ImageOptions,
): void {
  const separator = options.separator ?? "-";
  const ids = new Map<string, number>();
  const add = (service: string, cause: string): number | undefined => {
    const known = ids.get(service);
    if (known !== undefined) return known;
    const config = project.services[service] ?? project.disabledServices[service];
    if (config?.build === undefined) return undefined;
    ids.set(service, 0);
    // the classic builder knows no contexts of other services: what a service depends on is built before it, for its FROM
    const before = options.classicBuilder === true ? builtBefore(project, service, builds) : [];
    const dependsOn = [...new Set([...buildDependencies(config), ...before])].flatMap((name) => {
      const id = add(name, `${service} builds upon it`);
      return id === undefined || id === 0 ? [] : [id];
    });
    const image = imageName(project.name, service, config, separator);
    if (options.classicBuilder === true) checkClassicBuilder(service, config.build);
    const [first, ...others] = buildPlatforms(service, config, options);
    const id = plan.add(
      { resource: `image ${image} of ${service}`, cause, dependsOn },
      {
        kind: "build-image",
        service,
        image,
        request: buildRequest(project, service, config, {
          separator,
          ...given({ platform: first }),
          ...(options.noCache === true ? { noCache: true } : {}),
          ...(options.pullBase === true ? { pull: true } : {}),
          ...given({ args: options.buildArgs, allow: options.allow, ssh: options.ssh }),
          warn: (message) => plan.warn(message),
        }),
        ...(others.length === 0 ? {} : { alsoFor: others }),
        ...(options.quietBuild === true ? { quiet: true } : {}),
      },
    );
    ids.set(service, id);
    return id;
  };
  for (const [service, cause] of builds) add(service, cause);
}

/** What a service depends on and is built, also by way of services that are not. */
function builtBefore(project: Project, service: string, builds: ReadonlyMap<string, string>): string[] {
  const seen = new Set([service]);
  const found: string[] = [];
  for (const name of seen) {
    if (name !== service && builds.has(name)) found.push(name);
    else for (const next of Object.keys(project.services[name]?.depends_on ?? {})) seen.add(next);
  }
  return found;
}

/** Services named as `service:x` contexts. */
function buildDependencies(config: Service): string[] {
  return serviceReferences(config)
    .filter(({ how }) => how === "build")
    .map(({ service }) => service)
    .sort();
}

function buildCause(config: Service, image: ImageInfo | undefined, options: ImageOptions): string | undefined {
  if (config.build === undefined || options.noBuild === true) return undefined;
  if (options.build === true) return "--build";
  const policy = options.pull === undefined || options.pull === "policy" ? config.pull_policy : options.pull;
  if (policy === "build") return "pull policy is build";
  return image === undefined || isForeign(image, config.platform) ? "is not stored" : undefined;
}

function pullCause(
  image: string,
  service: string,
  config: Service | undefined,
  stored: ImageInfo | undefined,
  built: ReadonlySet<string>,
  options: ImageOptions,
): string | undefined {
  const override = options.pull === undefined || options.pull === "policy" ? undefined : options.pull;
  const policy = override ?? config?.pull_policy ?? "";
  if (config?.["x-podman.rootfs"] !== undefined) return undefined;
  const buildable = config?.build !== undefined;
  if (buildable) {
    // Without an image name there is nothing to pull; with one, building is the default unless a policy asks to pull.
    if (config?.image === undefined || options.build === true || policy === "" || policy === "build") {
      return noWay(image, service, stored, buildable, options);
    }
  } else if (built.has(image)) return undefined;
  switch (policy) {
    case "always":
    case "newer":
      return `pull policy is ${policy}`;
    case "never":
      return noWay(image, service, stored, buildable, options);
    case "":
    case "build":
    case "missing":
    case "if_not_present":
      return stored === undefined || isForeign(stored, config?.platform ?? options.defaultPlatform)
        ? "is not stored"
        : undefined;
    default: {
      if (stored === undefined) return "is not stored";
      const age = maxAge(policy, service);
      const tagged = stored.lastTaggedAt === undefined ? 0 : Date.parse(stored.lastTaggedAt);
      return options.now - tagged > age ? `is older than its pull policy (${policy})` : undefined;
    }
  }
}

function noWay(
  image: string,
  service: string,
  stored: ImageInfo | undefined,
  buildable: boolean,
  options: ImageOptions,
): undefined {
  if (stored !== undefined || (buildable && options.noBuild !== true)) return undefined;
  throw new TscError("TSC_IMAGE_NOT_FOUND", `No such image: ${image}`, {
    kind: "not-found",
    hint: buildable ? `build it with: tscompose build ${service}` : "the pull policy forbids pulling it",
  });
}

function maxAge(policy: string, service: string): number {
  if (policy === "daily") return 86_400_000;
  if (policy === "weekly") return 604_800_000;
  const age = policy.startsWith("every_") ? parseDurationMs(policy.slice("every_".length)) : undefined;
  if (age === undefined) {
    throw new TscError("TSC_SERVICE_INVALID", `service "${service}": pull_policy: invalid value "${policy}"`, {
      kind: "invalid-input",
    });
  }
  return age;
}

/** True when the stored image is for another platform than the one asked for. */
function isForeign(image: ImageInfo, platform: string | undefined): boolean {
  if (platform === undefined || platform === "") return false;
  const [os, architecture, variant] = platform.split("/");
  return (
    os !== image.os ||
    (architecture !== undefined && architecture !== image.architecture) ||
    (variant !== undefined && image.variant !== "" && variant !== image.variant)
  );
}
