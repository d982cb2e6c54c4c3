/** Rules on spellings that still work and should go. */

import type { Rule } from "./types.js";
import { entries } from "./walk.js";

const fromWarnings = (code: string, warning: string, title: string, help: string): Rule => ({
  code,
  level: "warning",
  title,
  help,
  find: ({ project }) =>
    project.warnings.filter((one) => one.code === warning).map(({ message, path }) => ({ message, path: path ?? [] })),
});

const LEGACY: Readonly<Record<string, string>> = {
  links:
    "services of one network find each other by name; use depends_on for order and networks.NAME.aliases for other names",
  external_links: "join an external network instead",
  volumes_from: "name the volumes in both services instead",
};

/** Deprecated keys and values. */
export const deprecatedRules: readonly Rule[] = [
  fromWarnings(
    "TSC_CHECK_VERSION",
    "TSC_COMPOSE_VERSION_OBSOLETE",
    "the top-level key `version` is ignored",
    "remove it",
  ),
  fromWarnings(
    "TSC_CHECK_EXTERNAL_NAME",
    "TSC_COMPOSE_EXTERNAL_NAME",
    "`external.name` is deprecated",
    "write `external: true` and `name`",
  ),
  fromWarnings(
    "TSC_CHECK_BOOLEAN",
    "TSC_COMPOSE_BOOLEAN_SPELLING",
    "yes, no, on and off are text in YAML 1.2",
    "write true or false",
  ),
  fromWarnings(
    "TSC_CHECK_VARIABLE_UNSET",
    "TSC_COMPOSE_VARIABLE_UNSET",
    "a variable is used that is set nowhere",
    "set it in .env, or give it a default: ${NAME:-default}",
  ),
  {
    code: "TSC_CHECK_LEGACY_KEY",
    level: "warning",
    title: "a legacy way of connecting services",
    help: "use networks, depends_on and named volumes",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, service]) =>
        Object.entries(LEGACY)
          .filter(([key]) => ((service as unknown as Record<string, readonly unknown[]>)[key]?.length ?? 0) > 0)
          .map(([key, hint]) => ({
            message: `service ${JSON.stringify(name)} uses the legacy key ${key}`,
            path: ["services", name, key],
            hint,
          })),
      ),
  },
];
