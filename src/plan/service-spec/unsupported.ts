/** What a compose file may ask for and one Linux host without a swarm cannot give: told, never dropped in silence. */
import type { Service } from "../../compose/model.js";
import { ServiceError } from "./service-error.js";

/** Warnings for what has no effect here; throws TSC_SERVICE_UNSUPPORTED for what the container could not work without. */
export function unsupportedWarnings(service: string, config: Service): string[] {
  const refuse = (attribute: string, hint: string): never => {
    const [key = ""] = attribute.split(":");
    const message = `service "${service}": ${attribute} is not supported`;
    throw new ServiceError("TSC_SERVICE_UNSUPPORTED", message, [key], { kind: "unsupported", hint });
  };
  if (config.use_api_socket === true)
    refuse("use_api_socket", "there is no API socket: the engine runs inside tscompose");
  if (Object.keys(config.models ?? {}).length > 0) {
    refuse("models", "run the model as a service and give its address as an environment variable");
  }
  const warnings: string[] = [];
  const noEffect = (attribute: string, why: string): void => {
    warnings.push(`service "${service}": ${attribute} has no effect: ${why}`);
  };
  if (config.isolation !== undefined && config.isolation !== "default") noEffect("isolation", "it is for Windows");
  if (config.credential_spec !== undefined) noEffect("credential_spec", "it is for Windows");
  if (config.cpu_count !== undefined) noEffect("cpu_count", "it is for Windows; use cpus");
  if (config.cpu_percent !== undefined) noEffect("cpu_percent", "it is for Windows; use cpus");
  for (const attribute of ["x-podman.uidmaps", "x-podman.gidmaps"] as const) {
    if (config[attribute] !== undefined)
      refuse(attribute, "containers share one user namespace; run tscompose as an ordinary user");
  }
  const userns = config.userns_mode ?? "";
  if (userns !== "" && userns !== "host") {
    refuse(`userns_mode: ${userns}`, "containers share one user namespace: the user's own, or the host's for root");
  }
  if (config.storage_opt !== undefined) noEffect("storage_opt", "root filesystems have no quota");
  const deploy = config.deploy;
  if (deploy === undefined) return warnings;
  const cluster = "there is no cluster on one machine";
  if (deploy.update_config !== undefined) noEffect("deploy.update_config", cluster);
  if (deploy.rollback_config !== undefined) noEffect("deploy.rollback_config", cluster);
  if (Object.keys(deploy.placement ?? {}).length > 0) noEffect("deploy.placement", cluster);
  if (deploy.endpoint_mode !== undefined) noEffect("deploy.endpoint_mode", cluster);
  if (deploy.mode !== undefined && deploy.mode !== "replicated" && deploy.mode !== "global") {
    noEffect(`deploy.mode ${deploy.mode}`, cluster);
  }
  if (deploy.resources?.reservations?.cpus !== undefined) noEffect("deploy.resources.reservations.cpus", cluster);
  if (deploy.resources?.reservations?.generic_resources !== undefined) {
    noEffect("deploy.resources.reservations.generic_resources", cluster);
  }
  return warnings;
}
