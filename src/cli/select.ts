/** Finds the project's name and the containers a command means, by docker compose's labels. Reads; changes nothing. */

import type { Project } from "../compose/model.js";
import { noSuchService } from "../compose/no-such-service.js";
import type { EngineApi } from "../engine/api.js";
import type { ContainerInfo } from "../engine/types.js";
import { compareText } from "../lib/compare-text.js";
import { TscError } from "../lib/errors.js";
import { LABEL } from "../plan/labels.js";
import type { CliContext } from "./context.js";

/** The project's name: `-p` or COMPOSE_PROJECT_NAME without reading any file, else what the compose file says. */
export async function projectName(ctx: CliContext): Promise<string> {
  const given = ctx.globals.projectName ?? ctx.env.COMPOSE_PROJECT_NAME;
  if (given !== undefined && given !== "") return checkedName(given);
  return (await ctx.projectOrName()).name;
}

/** The name as given. `TSC_PROJECT_NAME` when no project can have it. */
export function checkedName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return name;
  throw new TscError(
    "TSC_PROJECT_NAME",
    `invalid project name "${name}": must consist only of lowercase alphanumeric characters, hyphens, and underscores ` +
      "as well as start with a letter or number",
    { kind: "invalid-input" },
  );
}

/** `TSC_COMPOSE_SERVICE_UNKNOWN` for a service that the project does not declare; without a project everything passes. */
export function checkServices(project: Project | undefined, services: readonly string[]): void {
  if (project === undefined) return;
  for (const service of services) {
    if (Object.hasOwn(project.services, service) || Object.hasOwn(project.disabledServices, service)) continue;
    const known = Object.keys(project.services);
    throw noSuchService(service, known.length === 0 ? undefined : `services are: ${known.slice(0, 20).join(", ")}`);
  }
}

/** Which containers of a project: by default the live ones of all services, without one-offs. */
export interface ContainerQuery {
  readonly services?: readonly string[];
  /** Stopped ones too. */
  readonly all?: boolean;
  readonly oneOff?: "exclude" | "include";
}

/** The project's containers by service and number. */
export async function projectContainers(
  engine: EngineApi,
  project: string,
  query: ContainerQuery = {},
): Promise<readonly ContainerInfo[]> {
  const found = await engine.containers.list({ labels: { [LABEL.project]: project } });
  const services = query.services ?? [];
  return found
    .filter((info) => services.length === 0 || services.includes(info.labels[LABEL.service] ?? ""))
    .filter((info) => query.oneOff === "include" || info.labels[LABEL.oneOff] !== "True")
    .filter((info) => query.all === true || isLive(info))
    .toSorted(
      (a, b) => compareText(a.labels[LABEL.service] ?? "", b.labels[LABEL.service] ?? "") || numberOf(a) - numberOf(b),
    );
}

/** What docker lists without `--all`. */
export function isLive(info: ContainerInfo): boolean {
  return info.state === "running" || info.state === "paused" || info.state === "restarting";
}

/** The container's number in its service; 0 when it has none. */
function numberOf(info: ContainerInfo): number {
  const number = Number(info.labels[LABEL.number] ?? 0);
  return Number.isInteger(number) ? number : 0;
}

/** One container of a service: the first, or `index`. `TSC_CONTAINER_NOT_RUNNING` when there is none (docker compose's text). */
export async function serviceContainer(
  engine: EngineApi,
  project: string,
  service: string,
  options: { readonly index?: number | undefined; readonly all?: boolean } = {},
): Promise<ContainerInfo> {
  const index = options.index ?? 0;
  const query = { services: [service], all: options.all === true };
  const found = await projectContainers(engine, project, query);
  let chosen = index > 0 ? found.find((info) => numberOf(info) === index) : found[0];
  // without an index, docker compose falls back to a one-off of the service
  if (chosen === undefined && index === 0)
    chosen = (await projectContainers(engine, project, { ...query, oneOff: "include" }))[0];
  if (chosen !== undefined) return chosen;
  // docker compose's words, for stopped ones as well
  const which = index > 0 ? ` container #${index}` : "";
  throw new TscError("TSC_CONTAINER_NOT_RUNNING", `service "${service}" is not running${which}`, {
    kind: "not-found",
    hint: `'tscompose ps -a ${service}' shows its containers`,
  });
}

/** The container's name as logs show it: without the project when it is the default name. */
export function nameWithoutProject(info: ContainerInfo): string {
  const project = info.labels[LABEL.project] ?? "";
  const rest = `${info.labels[LABEL.service] ?? ""}-${info.labels[LABEL.number] ?? ""}`;
  return info.name === `${project}-${rest}` || info.name === `${project}_${rest.replace(/-(\d+)$/, "_$1")}`
    ? info.name.slice(project.length + 1)
    : info.name;
}
