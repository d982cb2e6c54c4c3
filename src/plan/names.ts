/** Names docker compose gives. Pure; knows nothing of what exists. */
import type { NetworkConfig, Project, Service, VolumeConfig } from "../compose/model.js";

/** `-`, or `_` with `--compatibility`. */
export type Separator = "-" | "_";

/** `project-service-1`, or the service's `container_name`. */
export function containerName(
  project: string,
  service: string,
  config: Service | undefined,
  number: number,
  separator: Separator = "-",
): string {
  const fixed = config?.container_name;
  return fixed !== undefined && fixed !== "" ? fixed : [project, service, String(number)].join(separator);
}

/** The image a service runs: its `image`, else the name its build gets. */
export function imageName(project: string, service: string, config: Service, separator: Separator = "-"): string {
  return config.image !== undefined && config.image !== "" ? config.image : `${project}${separator}${service}`;
}

/** How observations call the image of that name: with the platform behind a blank where a service names one. */
export function imageKey(name: string, platform: string | undefined): string {
  return platform === undefined || platform === "" ? name : `${name} ${platform}`;
}

/** A network's name on the host. */
export function networkName(project: Project, key: string, config: NetworkConfig | undefined): string {
  return config?.name ?? `${project.name}_${key}`;
}

/** A volume's name on the host. */
export function volumeName(project: Project, key: string, config: VolumeConfig | undefined): string {
  return config?.name ?? `${project.name}_${key}`;
}

/** How many containers a service wants: `scale`, then `deploy.replicas`, then one. */
export function scaleOf(config: Service): number {
  return config.scale ?? config.deploy?.replicas ?? 1;
}
