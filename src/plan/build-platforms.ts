/** Which platforms a service is built for, with docker compose's checks and words. Pure. */
import type { Project, Service } from "../compose/model.js";
import { TscError } from "../lib/errors.js";

/** What decides over the platforms of a build besides the service. */
export interface PlatformOptions {
  /** DOCKER_DEFAULT_PLATFORM; for services that name no platform themselves. */
  readonly defaultPlatform?: string;
  /** `build` makes all that `build.platforms` lists; what is to run here is built for one. */
  readonly everyPlatform?: boolean;
}

/** None means this machine's. `TSC_BUILD_PLATFORM` when the one that is wanted is not among those listed. */
export function buildPlatforms(service: string, config: Service, options: PlatformOptions): readonly string[] {
  const listed = config.build?.platforms ?? [];
  const own = config.platform === "" ? undefined : config.platform;
  const wanted = own ?? options.defaultPlatform;
  if (wanted !== undefined && listed.length > 0 && !listed.includes(wanted)) {
    const name = JSON.stringify(service);
    const message =
      own === undefined
        ? `service ${name} build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: ${wanted}`
        : `service ${name} build configuration does not support platform: ${wanted}`;
    throw new TscError("TSC_BUILD_PLATFORM", message, {
      kind: "invalid-input",
      hint: `build.platforms has ${listed.join(", ")}`,
    });
  }
  if (wanted !== undefined && (options.everyPlatform !== true || listed.length === 0)) return [wanted];
  if (options.everyPlatform === true || listed.length === 1) return [...new Set(listed)];
  return [];
}

/** DOCKER_DEFAULT_PLATFORM, of the environment or `.env`. */
export function defaultPlatformOf(project: Project): { defaultPlatform?: string } {
  const platform = project.environment["DOCKER_DEFAULT_PLATFORM"];
  return platform === undefined || platform === "" ? {} : { defaultPlatform: platform };
}

/**
 * The project with the default platform written to the built services that name none: what makes containers sees it so in docker compose,
 * hashes count it. `TSC_BUILD_PLATFORM` for one that is not built for it.
 */
export function withDefaultPlatforms(project: Project): Project {
  const { defaultPlatform } = defaultPlatformOf(project);
  if (defaultPlatform === undefined) return project;
  const services = Object.entries(project.services).map(([name, service]) => {
    if (service.build === undefined || (service.platform ?? "") !== "") return [name, service] as const;
    buildPlatforms(name, service, { defaultPlatform });
    return [name, { ...service, platform: defaultPlatform }] as const;
  });
  return { ...project, services: Object.fromEntries(services) };
}
