/** The strings of a file that stand where a number or a boolean belongs: what they become, derived from the kinds of the model's tables. */
import { TscError } from "../../lib/errors.js";
import type { Kind } from "../model/kinds.js";
import { ATTRIBUTES } from "../model/project.js";
import type { PathTable, Tree } from "../tree.js";
import { isAtOrBelow, pathTable } from "../tree.js";

/** What a string becomes; `warn` is told of the spellings of YAML 1.1. Throws TSC_COMPOSE_CAST. */
export type Cast = (text: string, warn: (message: string) => void) => Tree;

const toInt: Cast = (text) => {
  const value = goInteger(text);
  if (value === undefined) throw castError(`${JSON.stringify(text)} is not an integer`);
  return value;
};
const toFloat: Cast = (text) => {
  if (!/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text)) {
    throw castError(`${JSON.stringify(text)} is not a number`);
  }
  return Number(text);
};
const toBoolean: Cast = (text, warn) => {
  switch (text.toLowerCase()) {
    case "true":
      return true;
    case "false":
      return false;
    case "y":
    case "yes":
    case "on":
      warn(`${JSON.stringify(text)} for boolean is not supported by YAML 1.2, please use \`true\``);
      return true;
    case "n":
    case "no":
    case "off":
      warn(`${JSON.stringify(text)} for boolean is not supported by YAML 1.2, please use \`false\``);
      return false;
    default:
      throw castError(`invalid boolean: ${text}`);
  }
};

/** What a string means where a boolean belongs; `warn` is told of the spellings of YAML 1.1. Throws TSC_COMPOSE_CAST. */
export function castBoolean(text: string, warn: (message: string) => void): boolean {
  return toBoolean(text, warn) === true;
}

function goInteger(text: string): number | bigint | undefined {
  if (!/^[-+]?[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function castError(message: string): TscError {
  return new TscError("TSC_COMPOSE_CAST", message, { kind: "invalid-input" });
}

const CAST_OF: Partial<Record<Kind, Cast>> = {
  int: toInt,
  uint: toInt,
  float: toFloat,
  bool: toBoolean,
  "true-by-default": toBoolean,
};

function castsOf(kind: Kind, path: string): (readonly [path: string, cast: Cast])[] {
  if (kind === "ulimits") {
    return ["[]", ".*", ".*.soft", ".*.hard"].map((below) => [`${path}${below}`, toInt] as const);
  }
  const cast = CAST_OF[kind];
  return cast === undefined ? [] : [[path, cast]];
}

/** Where, and below which, the reference casts nothing: there the schema says whether a string may stand, and binding reads it. */
const NOT_CAST: readonly string[] = [
  "services.*.attach",
  "services.*.blkio_config",
  "services.*.build",
  "services.*.depends_on.*.required",
  "services.*.deploy.resources",
  "services.*.develop",
  "services.*.networks",
  "services.*.post_start",
  "services.*.pre_start",
  "services.*.pre_stop",
  "services.*.use_api_socket",
  "services.*.volumes[].tmpfs",
  "models",
];

/** What the strings at these paths become. */
export const CASTS: PathTable<Cast> = pathTable<Cast>(
  ATTRIBUTES.filter(({ path }) => !NOT_CAST.some((place) => isAtOrBelow(path, place))).flatMap(({ path, field }) =>
    castsOf(field.kind, path),
  ),
);
