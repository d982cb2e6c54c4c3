/** Rules on secrets in places where they leak. Values are never part of a message. */
import type { Environment, Project } from "../model.js";
import type { Complaint, Rule } from "./types.js";
import { entries } from "./walk.js";

const SECRET =
  /(?:^|_)(?:PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?|PASSPHRASE)(?:_|$)/i;

/** Names that only sound like secrets. */
const HARMLESS = /_(?:FILE|PATH|DIR|URL|HEADER|NAME|EXPIR\w*|TTL|LENGTH|LIFETIME|TYPE|ENABLED|ID)$/i;

function find(
  project: Project,
  name: string,
  environment: Environment | undefined,
  path: readonly string[],
  where: string,
): Complaint[] {
  return entries(environment ?? {}).flatMap(([key, value]): Complaint[] => {
    if (value === null || value === "" || !SECRET.test(key) || HARMLESS.test(key)) return [];
    if (/^(?:true|false|yes|no|\d{1,4})$/i.test(value) || value.startsWith("/run/secrets/")) return [];
    const at = [...path, key];
    const text = project.locate(at)?.text ?? "";
    const isVariable = text.includes("$");
    return [
      {
        message: `service ${JSON.stringify(name)}: ${key} in ${where} ${isVariable ? "looks like a secret: everybody who may inspect the container reads it" : "looks like a secret written into the file"}`,
        path: at,
        level: isVariable ? "note" : "warning",
      },
    ];
  });
}

/** Secrets in the environment and in build arguments. */
export const secretRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_SECRET_ENVIRONMENT",
    level: "warning",
    title: "a secret in the environment",
    help: "use `secrets:`; many images read NAME_FILE=/run/secrets/NAME",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, service]) =>
        find(project, name, service.environment, ["services", name, "environment"], "environment"),
      ),
  },
  {
    code: "TSC_CHECK_SECRET_BUILD_ARG",
    level: "warning",
    title: "a secret in a build argument",
    help: "use `build.secrets` and RUN --mount=type=secret: arguments stay in the image's history",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, { build }]) =>
        find(project, name, build?.args, ["services", name, "build", "args"], "build.args").map((one) => ({
          ...one,
          level: "warning" as const,
        })),
      ),
  },
];
