/**
 * Replaces variables in the values of a tree (never in keys) and casts the strings that stand where a number or a
 * boolean belongs. Casting happens for literal strings too, as the reference does.
 */
import { isTscError } from "../../lib/errors.js";
import type { Lookup, TemplateVariable } from "../env/template.js";
import { substitute, templateVariables } from "../env/template.js";
import type { LoadWarning } from "../model.js";
import { Problems, placeOf, withPlace } from "../problems.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { walkAll } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";
import { CASTS, type Cast } from "./casts.js";

/** The variables, who hears of those that are not set, and the files in which errors find their place. */
export interface InterpolateOptions {
  readonly lookup: Lookup;
  readonly warn: (warning: LoadWarning) => void;
  readonly files: readonly YamlFile[];
}

/** Interpolates in place; reports every failing value at once. */
export function interpolate(tree: TreeMap, options: InterpolateOptions): TreeMap {
  const problems = new Problems(options.files);
  const onUnset = (name: string, path: Path): void =>
    options.warn({
      code: "TSC_COMPOSE_VARIABLE_UNSET",
      message: `The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`,
      path: [...path],
    });
  const warn = (message: string, path: Path): void =>
    options.warn({ code: "TSC_COMPOSE_BOOLEAN_SPELLING", message, path: [...path] });

  const one = (text: string, cast: Cast | undefined, path: Path): Tree => {
    if (cast === undefined && !text.includes("$")) return text;
    return problems.guard(path, () => {
      try {
        const value = substitute(text, options.lookup, { onUnset: (name) => onUnset(name, path) });
        return cast === undefined ? value : cast(value, (message) => warn(message, path));
      } catch (error) {
        throw explained(error, text, path, options.files);
      }
    }) as Tree;
  };
  walkAll(tree, CASTS, (value, cast, path) => (typeof value === "string" ? one(value, cast, path) : value));
  problems.throw();
  return tree;
}

function explained(error: unknown, text: string, path: Path, files: readonly YamlFile[]): unknown {
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
  walkAll(tree, undefined, (value) => {
    if (typeof value !== "string" || !value.includes("$")) return value;
    for (const variable of templateVariables(value)) {
      const known = found.get(variable.name);
      if (known === undefined || (known.defaultValue === "" && known.presenceValue === "" && !known.required)) {
        found.set(variable.name, variable);
      }
    }
    return value;
  });
  return found;
}
