/**
 * Binds a canonical tree to the typed model: values get their types, zero values are dropped, fields get the order
 * of its tables, maps are sorted. Reports every value that cannot be read.
 */

import { formatGoDuration, parseGoDuration } from "../../lib/duration.js";
import { isTscError } from "../../lib/errors.js";
import type { Field, Kind, Struct } from "../model/kinds.js";
import { SOFT_HARD } from "../model/service-parts.js";
import type { LoadWarning } from "../model.js";
import { Problems } from "../problems.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { bracketPath, isMap, newMap, scalarText } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";
import {
  bytesOf,
  deviceCount,
  fileMode,
  float32,
  hosts,
  integer,
  options,
  sortedKeys,
  sshList,
  stringMap,
  wrong,
} from "./bind-values.js";
import { castBoolean } from "./casts.js";
import { shellWords } from "./shell-words.js";

interface Binder {
  readonly problems: Problems;
  readonly warn: (warning: LoadWarning) => void;
}

/** One struct of the model from its tree; extension keys are kept at the end. */
function bindStruct(tree: TreeMap, struct: Struct, path: Path, binder: Binder): TreeMap {
  const result = newMap();
  for (const field of struct) {
    const value = tree[field.name];
    const bound =
      value === undefined || value === null
        ? absent(field, path, binder)
        : bindField(value, field, [...path, field.name], binder);
    if (bound !== undefined) result[field.name] = bound;
  }
  for (const key in tree) {
    if (key.startsWith("x-")) result[key] = tree[key] as Tree;
    else if (!struct.some((field) => field.name === key)) tellDropped(key, path, binder);
  }
  return result;
}

/** The reference's schema lets the key pass, its model has no place for it. */
function tellDropped(key: string, path: Path, { warn }: Binder): void {
  const instead = key === "pull_refresh_after" ? ": write pull_policy: every_<duration>" : "";
  const where = [...path, key];
  warn({ code: "TSC_COMPOSE_NO_EFFECT", message: `${bracketPath(where)} has no effect${instead}`, path: where });
}

/** A map of structs, sorted by key; null entries become empty structs. */
export function bindMap(
  value: Tree | undefined,
  struct: Struct,
  path: Path,
  around: { readonly files: readonly YamlFile[]; readonly warn: Binder["warn"] },
): TreeMap {
  const result = newMap();
  if (!isMap(value)) return result;
  const binder: Binder = { problems: new Problems(around.files), warn: around.warn };
  for (const key of sortedKeys(value)) {
    const entry = value[key];
    result[key] = bindStruct(isMap(entry) ? entry : newMap(), struct, [...path, key], binder);
  }
  binder.problems.throw();
  return result;
}

function absent(field: Field, path: Path, binder: Binder): Tree | undefined {
  if (field.kind === "shell") return null;
  if (field.zero !== undefined) return field.zero;
  return field.kind === "always" ? bindStruct(newMap(), structOf(field), path, binder) : undefined;
}

function bindField(value: Tree, field: Field, path: Path, binder: Binder): Tree | undefined {
  try {
    const bound = bindKind(value, field.kind, field, path, binder);
    return bound === undefined || (!field.keepZero && isAbsence(bound, field.kind)) ? undefined : bound;
  } catch (error) {
    if (!isTscError(error)) throw error;
    binder.problems.add(error.code, `decoding failed: '${fieldPath(path)}' ${error.message}`, path, {
      hint: error.hint,
    });
    return undefined;
  }
}

function fieldPath(path: Path): string {
  const [section, name, ...rest] = path;
  return name === undefined ? bracketPath(path) : bracketPath([`${String(section)}[${String(name)}]`, ...rest]);
}

/** True for a value that says no more than that nothing was written. */
function isAbsence(value: Tree, kind: Kind): boolean {
  if (kind === "true-by-default") return value === true;
  if (value === "" || value === 0 || value === false) return true;
  if (kind === "always" || kind === "shell" || kind === "struct") return false;
  if (kind === "bytes") return value === "0";
  if (kind === "duration") return value === "0s";
  if (kind === "hosts") return false;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.keys(value).length === 0;
}

function bindKind(value: Tree, kind: Kind, field: Field, path: Path, binder: Binder): Tree | undefined {
  switch (kind) {
    case "string":
      return scalarText(value);
    case "bool":
    case "true-by-default":
      // keys that the casts of interpolation do not know are cast here
      if (typeof value === "string")
        return castBoolean(value, (message) => binder.warn({ code: "TSC_COMPOSE_BOOLEAN_SPELLING", message, path }));
      return typeof value === "boolean" ? value : wrong("bool", value);
    case "int":
      return integer(typeof value === "string" && /^[-+]?[0-9]+$/.test(value) ? Number(value) : value, kind);
    case "uint":
      return integer(value, kind);
    case "float":
      return float32(value);
    case "bytes":
      return String(bytesOf(value));
    case "duration":
      return formatGoDuration(parseGoDuration(scalarText(value)));
    case "strings":
      return (Array.isArray(value) ? value : [value]).map((item) =>
        typeof item === "number" && !Number.isInteger(item) ? wrong("string", item) : scalarText(item),
      );
    case "shell":
      return typeof value === "string" ? shellWords(value) : Array.isArray(value) ? value.map(scalarText) : null;
    case "test":
      return typeof value === "string"
        ? ["CMD-SHELL", value]
        : Array.isArray(value)
          ? value.map(scalarText)
          : undefined;
    case "map":
      return stringMap(value, "");
    case "environment":
      return stringMap(value, null);
    case "hosts":
      return hosts(value);
    case "mode":
      return fileMode(value);
    case "count":
      return deviceCount(value);
    case "ssh":
      return sshList(value);
    case "ulimits":
      return mapOf(value, (entry, key) => ulimit(entry, [...path, key], binder));
    case "options":
      return options(value);
    case "struct":
    case "always":
      return isMap(value) ? bindStruct(value, structOf(field), path, binder) : wrong("map", value);
    case "structs":
      return (Array.isArray(value) ? value : [value]).map((entry, i) =>
        isMap(entry) ? bindStruct(entry, structOf(field), [...path, i], binder) : wrong("map", entry),
      );
    case "map-of-structs":
      return mapOf(value, (entry, key) =>
        isMap(entry) ? bindStruct(entry, structOf(field), [...path, key], binder) : null,
      );
  }
}

function structOf(field: Field): Struct {
  return field.struct ?? [];
}

function mapOf(value: Tree, bind: (entry: Tree, key: string) => Tree): TreeMap {
  const result = newMap();
  if (isMap(value)) for (const key of sortedKeys(value)) result[key] = bind(value[key] as Tree, key);
  return result;
}

function ulimit(value: Tree, path: Path, binder: Binder): Tree {
  if (isMap(value)) return bindStruct(value, SOFT_HARD, path, binder);
  const single = integer(typeof value === "string" && /^-?[0-9]+$/.test(value) ? Number(value) : value, "int");
  // the reference prints a limit of 0 as nothing set
  return single === 0 ? newMap() : single;
}
