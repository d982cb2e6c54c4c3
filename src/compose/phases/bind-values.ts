/** Values of single fields: what a tree has in their place, read by kind. Pure; knows no attribute. */
import { TscError } from "../../lib/errors.js";
import { invalidSize, parseSize } from "../../lib/size.js";
import { byteOrder } from "../print/key-order.js";
import type { Tree, TreeMap } from "../tree.js";
import { isMap, newMap, scalarText } from "../tree.js";

/** Keys in byte order, as Go sorts them. */
export function sortedKeys(map: object): string[] {
  return Object.keys(map).sort(byteOrder);
}

/** Refuses a value of another type, in the words of the reference's decoder. TSC_COMPOSE_TYPE. */
export function wrong(expected: string, value: Tree): never {
  const actual = value === null ? "nil" : Array.isArray(value) ? "list" : isMap(value) ? "map" : typeof value;
  throw new TscError("TSC_COMPOSE_TYPE", `expected type '${expected}', got unconvertible type '${actual}'`, {
    kind: "invalid-input",
  });
}

/** A whole number. TSC_COMPOSE_TYPE for what is none, and for a negative one that must not be. */
export function integer(value: Tree, kind: "int" | "uint"): number {
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
export function float32(value: Tree): number {
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

/** Bytes of a number or of a size such as `1g`. TSC_SIZE_INVALID. */
export function bytesOf(value: Tree): bigint {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : 0n;
  if (typeof value === "bigint") return value;
  const text = scalarText(value);
  const size = parseSize(text);
  // a plain integer may be negative (-1 lifts a limit), what go-units reads may not
  if (size < 0n && !/^-[0-9]+$/.test(text)) throw invalidSize(text);
  return size;
}

/** A number of devices; `all` is -1. TSC_COMPOSE_TYPE. */
export function deviceCount(value: Tree): number {
  if (value === "all") return -1;
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
export function stringMap(value: Tree, bare: string | null): TreeMap {
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

/** `host=address` entries, one per address, sorted; an empty list for hosts without addresses, undefined for no hosts. */
export function hosts(value: Tree): string[] | undefined {
  const found = new Map<string, string[]>();
  const add = (host: string, addresses: readonly string[]): void => {
    if (host.trim() === "" || /[:=]/.test(host))
      throw new TscError("TSC_COMPOSE_HOST_INVALID", `bad host name '${host}'`, { kind: "invalid-input" });
    const known = found.get(host) ?? [];
    known.push(...addresses.map((address) => address.replace(/^\[(.+)\]$/, "$1")));
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
      add(text.slice(0, at), text.slice(at + 1).split(","));
    }
  } else if (isMap(value)) {
    // only the short form has several addresses in one text
    for (const [key, entry] of Object.entries(value))
      add(key, (Array.isArray(entry) ? entry : [entry]).map(scalarText));
  }
  if (found.size === 0) return undefined;
  return [...found].flatMap(([host, addresses]) => addresses.map((address) => `${host}=${address}`)).sort(byteOrder);
}

/** An octal string such as `0440`, from an octal string or a number. */
export function fileMode(value: Tree): string {
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

/** `id` or `id=path` entries, those of a map sorted. */
export function sshList(value: Tree): string[] {
  if (!isMap(value)) return (Array.isArray(value) ? value : [value]).map(scalarText);
  return sortedKeys(value).map((key) =>
    value[key] === null || value[key] === "" ? key : `${key}=${scalarText(value[key] as Tree)}`,
  );
}

/** Lists of texts; an empty one is nothing. */
export function options(value: Tree): TreeMap {
  const lists = newMap();
  for (const [key, entry] of Object.entries(isMap(value) ? value : {})) {
    const list = (Array.isArray(entry) ? entry : [entry]).map(scalarText);
    if (list.length > 0) lists[key] = list;
  }
  return lists;
}
