/** Rules on conditions of depends_on that can never come true. */
import type { Service } from "../model.js";
import type { Complaint, Rule } from "./types.js";
import { entries } from "./walk.js";

type Finder = (dependency: string, target: Service) => Omit<Complaint, "path"> | undefined;

function dependencies(condition: string, find: Finder): Rule["find"] {
  return ({ project }) =>
    entries(project.services).flatMap(([name, service]) =>
      entries(service.depends_on ?? {}).flatMap(([dependency, edge]): Complaint[] => {
        const target = project.services[dependency] ?? project.disabledServices[dependency];
        if (edge.condition !== condition || target === undefined) return [];
        const found = find(dependency, target);
        return found === undefined
          ? []
          : [
              {
                ...found,
                message: `service ${JSON.stringify(name)} ${found.message}`,
                path: ["services", name, "depends_on", dependency],
              },
            ];
      }),
    );
}

/** Missing healthchecks and services that never end. */
export const dependencyRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_HEALTHCHECK_MISSING",
    level: "warning",
    title: "a service is waited for that has no healthcheck",
    help: "give it a healthcheck, or wait for service_started",
    find: dependencies("service_healthy", (dependency, { healthcheck, provider }) => {
      if (provider !== undefined) return undefined;
      const quoted = JSON.stringify(dependency);
      if (healthcheck?.disable === true || healthcheck?.test?.[0] === "NONE")
        return { message: `waits until ${quoted} is healthy, but its healthcheck is disabled`, level: "error" };
      if (healthcheck?.test !== undefined) return undefined;
      return { message: `waits until ${quoted} is healthy, which works only if its image has a healthcheck` };
    }),
  },
  {
    code: "TSC_CHECK_NEVER_COMPLETES",
    level: "error",
    title: "a service is waited for that is restarted whenever it ends",
    help: "remove its restart policy, or use on-failure",
    find: dependencies("service_completed_successfully", (dependency, { restart, deploy }) => {
      const own = deploy?.restart_policy;
      const policy = own === undefined ? (restart ?? "no") : (own.condition ?? "any");
      if (!["always", "unless-stopped", "any"].includes(policy)) return undefined;
      return {
        message: `waits until ${JSON.stringify(dependency)} has completed, but restart: ${policy} never lets it end`,
      };
    }),
  },
];
