/**
 * Validates a merged tree against schemas/compose-spec.json with a validator compiled at build time, and turns its errors
 * into messages: the most specific ones, all of them, with a place and a "did you mean".
 */

import { nearest } from "../../lib/nearest.js";
import { namesAt } from "../attributes/index.js";
import type { SchemaError } from "../generated/compose-schema.js";
import validate from "../generated/compose-schema.js";
import { Problems } from "../problems.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { isMap, newMap } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";

/** Throws TSC_COMPOSE_SCHEMA for everything that does not fit the schema. `file` is named in messages. */
export function validateSchema(
  tree: TreeMap,
  file: string,
  files: readonly YamlFile[],
  options: { readonly onlyUnknownKeys?: boolean } = {},
): void {
  if (validate(tree) || validate(withPlainNumbers(tree))) return;
  const problems = new Problems(files);
  for (const { path, message, key, hint } of messagesOf(validate.errors ?? [], tree)) {
    if (options.onlyUnknownKeys === true && key === undefined) continue;
    problems.add(
      "TSC_COMPOSE_SCHEMA",
      `validating ${file}: ${path.join(".")} ${message}`,
      key === undefined ? path : [...path, key],
      {
        hint,
        onKey: key !== undefined,
      },
    );
  }
  problems.throw();
}

/** The schema's validator knows no bigints; a copy, because later phases need their digits. */
function withPlainNumbers(value: Tree): Tree {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(withPlainNumbers);
  if (!isMap(value)) return value;
  const copy = newMap();
  for (const key in value) copy[key] = withPlainNumbers(value[key] as Tree);
  return copy;
}

interface Message {
  readonly path: Path;
  readonly message: string;
  /** The offending key below `path`. */
  readonly key?: string;
  readonly hint?: string | undefined;
}

/** Keywords that only wrap the errors of their branches. */
const WRAPPERS = new Set(["anyOf", "oneOf", "allOf", "if", "$ref"]);

/** One message per place: errors of the branch that was meant win over "must be a string" of the others. */
function messagesOf(errors: readonly SchemaError[], tree: Tree): Message[] {
  const byPath = new Map<string, SchemaError[]>();
  for (const error of errors) {
    if (WRAPPERS.has(error.keyword)) continue;
    const known = byPath.get(error.instancePath);
    if (known === undefined) byPath.set(error.instancePath, [error]);
    else known.push(error);
  }
  const paths = [...byPath.keys()];
  const messages: Message[] = [];
  for (const [pointer, found] of byPath) {
    const deeper = paths.some((other) => other.startsWith(`${pointer}/`));
    const specific = found.filter((error) => error.keyword !== "type" && error.keyword !== "const");
    if (specific.length === 0 && deeper) continue;
    const path = pathOf(pointer, tree);
    if (specific.length > 0) messages.push(...dedupe(specific.map((error) => specificMessage(error, path, tree))));
    else messages.push({ path, message: typeMessage(found), hint: typeHint(path, valueAt(tree, path)) });
  }
  return messages;
}

function dedupe(messages: readonly Message[]): Message[] {
  const seen = new Set<string>();
  return messages.filter(({ message }) => !seen.has(message) && seen.add(message) !== undefined);
}

/** A JSON pointer as a path whose list indexes are numbers. */
function pathOf(pointer: string, tree: Tree): Path {
  const path: (string | number)[] = [];
  let node: Tree | undefined = tree;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(node)) {
      path.push(Number(key));
      node = node[Number(key)];
    } else {
      path.push(key);
      node = isMap(node) ? node[key] : undefined;
    }
  }
  return path;
}

const TYPE_WORDS: Readonly<Record<string, string>> = { object: "mapping", array: "list" };

function typeMessage(errors: readonly SchemaError[]): string {
  const constant = errors.find((error) => error.keyword === "const");
  const types = new Set<string>();
  for (const { keyword, params } of errors) {
    if (keyword !== "type") continue;
    const type = params["type"];
    for (const one of Array.isArray(type) ? type : [type]) types.add(TYPE_WORDS[String(one)] ?? String(one));
  }
  const words = [...types].sort();
  if (constant !== undefined) words.unshift(`'${String(constant.params["allowedValue"])}'`);
  const last = words.pop() ?? "value";
  return words.length === 0 ? `must be a ${last}` : `must be a ${words.join(", ")} or ${last}`;
}

const DURATIONS = new Set(
  "interval timeout start_period start_interval stop_grace_period delay monitor window".split(" "),
);

/** What to write instead, for the mistakes that are made most. */
function typeHint(path: Path, value: Tree | undefined): string | undefined {
  const key = path.at(-1);
  if (typeof value === "number" && DURATIONS.has(String(key))) return `a duration has a unit, for instance ${value}s`;
  if (path.length === 2 && path[0] === "services" && value === null) return "give it an image or a build";
  if (typeof key !== "number" || !isMap(value)) return undefined;
  const [name, ...others] = Object.keys(value);
  const entry = name === undefined ? undefined : value[name];
  if (name === undefined || others.length > 0 || typeof entry === "object") return undefined;
  return `write ${name}=${String(entry)}, or leave out the dashes`;
}

/** The longer word that a short one is a part of: `healthy` for `service_healthy`. */
function containing(word: string, known: readonly string[]): string | undefined {
  return word.length < 3 ? undefined : known.find((one) => one.endsWith(word) || one.startsWith(word));
}

function specificMessage(error: SchemaError, path: Path, tree: Tree): Message {
  const { params } = error;
  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(params["additionalProperty"]);
      return { path, key, message: `additional properties '${key}' not allowed`, hint: keyHint(key, path) };
    }
    case "required":
      return { path, message: `missing property '${String(params["missingProperty"])}'` };
    case "enum": {
      const allowed = Array.isArray(params["allowedValues"]) ? params["allowedValues"].map(String) : [];
      const value = valueAt(tree, path);
      const near = typeof value === "string" ? (nearest(value, allowed) ?? containing(value, allowed)) : undefined;
      return {
        path,
        message: `value must be one of ${allowed.map((one) => `'${one}'`).join(", ")}`,
        hint: near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`,
      };
    }
    case "pattern":
      return {
        path,
        message: `'${String(valueAt(tree, path))}' does not match pattern '${String(params["pattern"]).replace(/\|\\\$$/, "")}'`,
      };
    case "minimum":
      return { path, message: `must be greater than or equal to ${String(params["limit"])}` };
    case "maximum":
      return { path, message: `must be less than or equal to ${String(params["limit"])}` };
    case "uniqueItems":
      return { path, message: `items at ${String(params["j"])} and ${String(params["i"])} are equal` };
    default:
      return { path, message: `does not fit (${error.keyword})` };
  }
}

function valueAt(tree: Tree, path: Path): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const part of path)
    node = Array.isArray(node) ? node[Number(part)] : isMap(node) ? node[String(part)] : undefined;
  return node;
}

function keyHint(key: string, path: Path): string | undefined {
  const near = key === "" ? undefined : nearest(key, namesAt(path));
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  return path.length === 0 ? "services belong under the top-level key `services`" : undefined;
}
