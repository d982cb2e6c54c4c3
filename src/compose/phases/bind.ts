/**
 * Binds a canonical tree to the typed model: values get their types, zero values are dropped, fields get the order
 * of structs.ts, maps are sorted. Reports every value that cannot be read.
 */

import { formatGoDuration, parseGoDuration } from "../../lib/duration.js";
import { isTscError, TscError } from "../../lib/errors.js";
import { invalidSize, parseSize } from "../../lib/size.js";
import type { LoadWarning } from "../model.js";
import { byteOrder } from "../print/key-order.js";
import { Problems } from "../problems.js";
import type { Field, Kind, Struct } from "../structs.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { bracketPath, isMap, newMap, scalarText } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";
import { castBoolean } from "./interpolate.js";
import { shellWords } from "./shell-words.js";

interface Binder {
  readonly problems: Problems;
  readonly warn: (warning: LoadWarning) => void;
}

/** One struct of the model from its tree; extension keys are kept at the end. */
function bindStruct(tree: TreeMap, struct: Struct, path: Path, binder: Binder): TreeMap {
  const result = newMap();
  for (const field of struct) {
    const value = tree[field.from ?? field.name];
    const bound =
      value === undefined || value === null
        ? absent(field, path, binder)
        : bindField(value, field, [...path, field.from ?? field.name], binder);
    if (bound !== undefined && !(field.dropTrue === true && bound === true)) result[field.name] = bound;
  }
  for (const key in tree) {
    if (key.startsWith("x-")) result[key] = tree[key] as Tree;
  }
  return result;
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

/** Keys in byte order, as Go sorts them. */
function sortedKeys(map: object): string[] {
  return Object.keys(map).sort(byteOrder);
}

function absent(field: Field, path: Path, binder: Binder): Tree | undefined {
  if (field.kind === "shell") return null;
  return field.kind === "always" ? bindStruct(newMap(), structOf(field), path, binder) : undefined;
}

function bindField(value: Tree, field: Field, path: Path, binder: Binder): Tree | undefined {
  try {
    const bound = bindKind(value, field.kind, field, path, binder);
    return bound === undefined || (!field.keepZero && isZero(bound, field.kind)) ? undefined : bound;
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

function isZero(value: Tree, kind: Kind): boolean {
  if (value === "" || value === 0 || value === false) return true;
  if (kind === "always" || kind === "shell" || kind === "struct") return false;
  if (kind === "bytes") return value === "0";
  if (kind === "duration") return value === "0s";
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.keys(value).length === 0;
}

function bindKind(value: Tree, kind: Kind, field: Field, path: Path, binder: Binder): Tree | undefined {
  switch (kind) {
    case "string":
      return scalarText(value);
    case "bool":
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
    case "number-or-bytes":
      return Number(bytesOf(value));
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
      return value === "all" ? -1 : deviceCount(value);
    case "ssh":
      return sshList(value);
    case "ulimits":
      return mapOf(value, (entry, key) => ulimit(entry, [...path, key], binder));
    case "options":
      return mapOf(value, (entry) => (Array.isArray(entry) ? entry.map(scalarText) : [scalarText(entry)]));
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

function wrong(expected: string, value: Tree): never {
  const actual = value === null ? "nil" : Array.isArray(value) ? "list" : isMap(value) ? "map" : typeof value;
  throw new TscError("TSC_COMPOSE_TYPE", `expected type '${expected}', got unconvertible type '${actual}'`, {
    kind: "invalid-input",
  });
}

function integer(value: Tree, kind: "int" | "uint"): number {
  if (typeof value !== "number" && typeof value !== "bigint") return wrong(kind, value);
  // where the schema allows any number the reference cuts off what is behind the point
  const number = Math.trunc(Number(value));
  if (!Number.isFinite(number)) return wrong(kind, value);
  if (kind === "uint" && number < 0) {
    throw new TscError("TSC_COMPOSE_TYPE", `cannot parse value as 'uint64': ${number} overflows uint`, {
      kind: "invalid-input",
    });
  }
  return number;
}

/** The shortest decimal that is the same 32-bit float. */
function float32(value: Tree): number {
  const number =
    typeof value === "number"
      ? value
      : typeof value === "string" && /^[0-9.]+$/.test(value)
        ? Number(value)
        : Number.NaN;
  if (Number.isNaN(number)) return wrong("float32", value);
  const single = Math.fround(number);
  for (let digits = 1; digits <= 9; digits++) {
    const candidate = Number(single.toPrecision(digits));
    if (Math.fround(candidate) === single) return candidate;
  }
  return single;
}

function bytesOf(value: Tree): bigint {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : 0n;
  if (typeof value === "bigint") return value;
  const text = scalarText(value);
  const size = parseSize(text);
  // a plain integer may be negative (-1 lifts a limit), what go-units reads may not
  if (size < 0n && !/^-[0-9]+$/.test(text)) throw invalidSize(text);
  return size;
}

function deviceCount(value: Tree): number {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  if (typeof value === "string" && /^[-+]?[0-9]+$/.test(value)) return Number(value);
  throw new TscError(
    "TSC_COMPOSE_TYPE",
    `invalid value ${JSON.stringify(scalarText(value))}, the only value allowed is 'all' or a number`,
    {
      kind: "invalid-input",
    },
  );
}

/** A list of `k=v` or a map; `bare` is the value of a key without one. */
function stringMap(value: Tree, bare: string | null): TreeMap {
  const entries = new Map<string, string | null>();
  if (Array.isArray(value)) {
    for (const entry of value) {
      const text = scalarText(entry);
      const equals = text.indexOf("=");
      entries.set(equals < 0 ? text : text.slice(0, equals), equals < 0 ? bare : text.slice(equals + 1));
    }
  } else if (isMap(value)) {
    for (const key in value) {
      const entry = value[key] as Tree;
      entries.set(key, entry === null ? bare : scalarText(entry));
    }
  }
  const result = newMap();
  for (const key of [...entries.keys()].sort(byteOrder)) result[key] = entries.get(key) as string | null;
  return result;
}

/** `host=address` entries, one per address, sorted. */
function hosts(value: Tree): string[] {
  const found = new Map<string, string[]>();
  const add = (host: string, addresses: readonly Tree[]): void => {
    if (host.trim() === "")
      throw new TscError("TSC_COMPOSE_HOST_INVALID", "bad host name ''", { kind: "invalid-input" });
    const known = found.get(host) ?? [];
    known.push(
      ...addresses
        .flatMap((address) => scalarText(address).split(","))
        .map((address) => address.replace(/^\[(.*)\]$/, "$1")),
    );
    found.set(host, known);
  };
  if (Array.isArray(value)) {
    for (const entry of value) {
      const text = scalarText(entry);
      const at = text.includes("=") ? text.indexOf("=") : text.indexOf(":");
      if (at < 0)
        throw new TscError("TSC_COMPOSE_HOST_INVALID", `invalid additional host, missing IP: ${text}`, {
          kind: "invalid-input",
        });
      add(text.slice(0, at), [text.slice(at + 1)]);
    }
  } else if (isMap(value)) {
    for (const key in value) {
      const entry = value[key] as Tree;
      add(key, Array.isArray(entry) ? entry : [entry]);
    }
  }
  return [...found].flatMap(([host, addresses]) => addresses.map((address) => `${host}=${address}`)).sort(byteOrder);
}

/** An octal string such as `0440`, from an octal string or a number. */
function fileMode(value: Tree): string {
  const number = typeof value === "string" ? parseMode(value) : integer(value, "int");
  return `0${number.toString(8)}`;
}
function parseMode(text: string): number {
  if (!/^[0-7]+$/.test(text)) {
    throw new TscError("TSC_COMPOSE_TYPE", `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`, {
      kind: "invalid-input",
    });
  }
  return Number.parseInt(text, 8);
}

function sshList(value: Tree): string[] {
  if (!isMap(value)) return (Array.isArray(value) ? value : [value]).map(scalarText);
  return sortedKeys(value).map((key) =>
    value[key] === null || value[key] === "" ? key : `${key}=${scalarText(value[key] as Tree)}`,
  );
}

function ulimit(value: Tree, path: Path, binder: Binder): Tree {
  if (isMap(value)) {
    return bindStruct(
      value,
      [
        { name: "soft", kind: "int" },
        { name: "hard", kind: "int" },
      ],
      path,
      binder,
    );
  }
  const single = integer(typeof value === "string" && /^-?[0-9]+$/.test(value) ? Number(value) : value, "int");
  // the reference prints a limit of 0 as nothing set
  return single === 0 ? newMap() : single;
}
