/** Which platforms a service is built for, with docker compose's checks and words. Pure. */
import type { Service } from "../compose/model.js";
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
