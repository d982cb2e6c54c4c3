/**
 * Replaces variables in the values of a tree (never in keys) and casts the strings that stand where a number or a
 * boolean belongs. Casting happens for literal strings too, as the reference does.
 */
import { isTscError, TscError } from "../../lib/errors.js";
import type { Lookup, TemplateVariable } from "../env/template.js";
import { substitute, templateVariables } from "../env/template.js";
import type { LoadWarning } from "../model.js";
import { Problems, placeOf, withPlace } from "../problems.js";
import type { PathTable, Tree, TreeMap } from "../tree.js";
import { isMap, pathTable, stepKey } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";

type Cast = (text: string, warn: (message: string) => void) => Tree;

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

const UPDATE: readonly (readonly [string, Cast])[] = [
  ["parallelism", toInt],
  ["max_failure_ratio", toFloat],
];

/** What the strings at these paths become. */
const CASTS: PathTable<Cast> = pathTable<Cast>([
  ["services.*.cpu_count", toInt],
  ["services.*.cpu_percent", toFloat],
  ["services.*.cpu_period", toInt],
  ["services.*.cpu_quota", toInt],
  ["services.*.cpu_rt_period", toInt],
  ["services.*.cpu_rt_runtime", toInt],
  ["services.*.cpus", toFloat],
  ["services.*.cpu_shares", toInt],
  ["services.*.init", toBoolean],
  ["services.*.deploy.replicas", toInt],
  ...UPDATE.map(([key, cast]) => [`services.*.deploy.update_config.${key}`, cast] as const),
  ...UPDATE.map(([key, cast]) => [`services.*.deploy.rollback_config.${key}`, cast] as const),
  ["services.*.deploy.restart_policy.max_attempts", toInt],
  ["services.*.deploy.placement.max_replicas_per_node", toInt],
  ["services.*.healthcheck.retries", toInt],
  ["services.*.healthcheck.disable", toBoolean],
  ["services.*.oom_kill_disable", toBoolean],
  ["services.*.oom_score_adj", toInt],
  ["services.*.pids_limit", toInt],
  ["services.*.ports[].target", toInt],
  ["services.*.privileged", toBoolean],
  ["services.*.read_only", toBoolean],
  ["services.*.env_file[].required", toBoolean],
  ["services.*.depends_on.*.restart", toBoolean],
  ["services.*.scale", toInt],
  ["services.*.stdin_open", toBoolean],
  ["services.*.tty", toBoolean],
  ["services.*.ulimits.*", toInt],
  ["services.*.ulimits.*.hard", toInt],
  ["services.*.ulimits.*.soft", toInt],
  ["services.*.ulimits[]", toInt],
  ["services.*.volumes[].read_only", toBoolean],
  ["services.*.volumes[].volume.nocopy", toBoolean],
  ["services.*.volumes[].bind.create_host_path", toBoolean],
  ["networks.*.external", toBoolean],
  ["networks.*.internal", toBoolean],
  ["networks.*.attachable", toBoolean],
  ["networks.*.enable_ipv4", toBoolean],
  ["networks.*.enable_ipv6", toBoolean],
  ["volumes.*.external", toBoolean],
  ["secrets.*.external", toBoolean],
  ["configs.*.external", toBoolean],
]);

export interface InterpolateOptions {
  readonly lookup: Lookup;
  readonly warn: (warning: LoadWarning) => void;
  readonly files: readonly YamlFile[];
}

/** Interpolates in place; reports every failing value at once. */
export function interpolate(tree: TreeMap, options: InterpolateOptions): TreeMap {
  const problems = new Problems(options.files);
  const path: (string | number)[] = [];
  const onUnset = (name: string): void =>
    options.warn({
      code: "TSC_COMPOSE_VARIABLE_UNSET",
      message: `The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`,
      path: [...path],
    });
  const warn = (message: string): void =>
    options.warn({ code: "TSC_COMPOSE_BOOLEAN_SPELLING", message, path: [...path] });

  const one = (text: string, table: PathTable<Cast> | undefined): Tree => {
    const cast = table?.value;
    if (cast === undefined && !text.includes("$")) return text;
    return problems.guard(path, () => {
      try {
        const value = substitute(text, options.lookup, { onUnset });
        return cast === undefined ? value : cast(value, warn);
      } catch (error) {
        throw explained(error, text, path, options.files);
      }
    }) as Tree;
  };
  const walk = (value: Tree, table: PathTable<Cast> | undefined): Tree => {
    if (typeof value === "string") return one(value, table);
    if (Array.isArray(value)) {
      const item = table?.item;
      for (let i = 0; i < value.length; i++) {
        path.push(i);
        value[i] = walk(value[i] as Tree, item);
        path.pop();
      }
    } else if (isMap(value)) {
      for (const key in value) {
        path.push(key);
        value[key] = walk(value[key] as Tree, stepKey(table, key));
        path.pop();
      }
    }
    return value;
  };
  walk(tree, CASTS);
  problems.throw();
  return tree;
}

function explained(
  error: unknown,
  text: string,
  path: readonly (string | number)[],
  files: readonly YamlFile[],
): unknown {
  if (!isTscError(error)) return error;
  const where = path.map((part) => (typeof part === "number" ? "[]" : part)).join(".");
  const place = placeOf(files, path);
  if (error.code === "TSC_COMPOSE_TEMPLATE_INVALID") {
    return withPlace(
      error,
      place,
      `invalid interpolation format for ${where}: ${JSON.stringify(text)}\nyou may need to escape any $ with another $`,
    );
  }
  const cast = error.code === "TSC_COMPOSE_CAST" ? "failed to cast to expected type: " : "";
  return withPlace(error, place, `error while interpolating ${where}: ${cast}${error.message}`);
}

/** Every variable of a tree's values, by name; the first mention with a default, alternative or `?` wins. */
export function variablesOf(tree: Tree): Map<string, TemplateVariable> {
  const found = new Map<string, TemplateVariable>();
  const walk = (value: Tree): void => {
    if (typeof value === "string") {
      if (!value.includes("$")) return;
      for (const variable of templateVariables(value)) {
        const known = found.get(variable.name);
        if (known === undefined || (known.defaultValue === "" && known.presenceValue === "" && !known.required)) {
          found.set(variable.name, variable);
        }
      }
    } else if (Array.isArray(value)) value.forEach(walk);
    else if (isMap(value)) for (const key in value) walk(value[key] as Tree);
  };
  walk(tree);
  return found;
}
