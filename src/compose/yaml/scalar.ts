/** What a YAML scalar means: the types of YAML 1.2 with leading-zero octals, as the reference reads them. Pure. */
import type { Scalar } from "yaml";
import type { Tree } from "../tree.js";

const BINARY = "tag:yaml.org,2002:binary";

/** A `!!binary` that is no base64, which readers of YAML 1.2 refuse: its padding counts, line breaks do not. */
export function isBrokenBinary({ tag, source }: Scalar): boolean {
  if (tag !== BINARY || source === undefined) return false;
  const text = source.replaceAll(/[\r\n]/g, "");
  return text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

const CORE = "tag:yaml.org,2002:";

/** The typed value of a scalar: only plain ones are resolved, unless a core tag asks for a type; any other tag (`!override`) leaves text. */
export function scalarValue(node: Scalar): Tree {
  const value = node.value;
  if (typeof value === "symbol") return MERGE_KEY;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  const tag = node.tag;
  if (typeof value !== "string") return value === undefined || value === null ? null : (value as Tree);
  if (tag === BINARY) return Buffer.from(value, "base64").toString("utf8");
  if (tag === `${CORE}str`) return value;
  if (tag?.startsWith(CORE) === true) return plainValue(value);
  if (tag !== undefined && tag !== "!") return value;
  return isPlain(node) ? plainValue(value) : value;
}

const MERGE_KEY = "<<";

/** True for the key that merges maps (yaml.org/type/merge): plain, or tagged as one. */
export function isMergeKey(node: Scalar): boolean {
  if (node.tag === `${CORE}merge`) return scalarValue(node) === MERGE_KEY;
  return node.value === MERGE_KEY && isPlain(node) && (node.tag === undefined || node.tag === "!");
}

const isPlain = ({ type }: Scalar): boolean => type === "PLAIN" || type === undefined;

/** What a core tag asks of its value; the names are those of the reference's messages. */
const FITS: Readonly<Record<string, (type: string) => boolean>> = {
  null: (type) => type === "null",
  bool: (type) => type === "bool",
  int: (type) => type === "int",
  float: (type) => type === "int" || type === "float",
};

/** Why a value does not have the type that its tag names; undefined when it has. */
export function tagMismatch(node: Scalar): string | undefined {
  const wanted = node.tag?.startsWith(CORE) === true ? node.tag.slice(CORE.length) : "";
  const text = node.value;
  if (typeof text !== "string") return undefined;
  const type = typeName(plainValue(text), text);
  return FITS[wanted]?.(type) === false ? `cannot decode !!${type} \`${text}\` as a !!${wanted}` : undefined;
}

function typeName(value: Tree, text: string): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return INTEGER.test(text) && Number.isSafeInteger(value) ? "int" : "float";
  return "str";
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[-+]\d\d:\d\d)| (\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?)?$/;

/** A date of YAML 1.1, which is no text, as JSON has it; undefined for everything else. */
export function dateOf(node: Scalar): string | undefined {
  const found = isPlain(node) && node.tag === undefined ? TIMESTAMP.exec(String(node.value)) : null;
  if (found === null) return undefined;
  const [, year = "", month = "", day = "", ...time] = found;
  const [hour = "0", minute = "0", second = "0", fraction = ""] = time[0] === undefined ? time.slice(5) : time;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!exists || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const two = (text: string): string => text.padStart(2, "0");
  const behind = fraction.replace(/\.?0*$/, "");
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${behind}${time[4] ?? "Z"}`;
}

const INTEGER = /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** What a plain scalar means: null, booleans, integers (0x, 0o, 0b, leading-zero octal), floats; else text. */
function plainValue(text: string): Tree {
  if (text === "") return null;
  const c = text.charCodeAt(0);
  if ((c >= 48 && c <= 57) || c === 43 || c === 45 || c === 46) return numeric(text);
  switch (text) {
    case "~":
    case "null":
    case "Null":
    case "NULL":
      return null;
    case "true":
    case "True":
    case "TRUE":
      return true;
    case "false":
    case "False":
    case "FALSE":
      return false;
    default:
      return text;
  }
}

function numeric(text: string): Tree {
  if (INTEGER.test(text)) return integer(text.replaceAll("_", "")) ?? text;
  if (FLOAT.test(text)) {
    const value = Number.parseFloat(text.replaceAll("_", ""));
    return Number.isFinite(value) ? value : text;
  }
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text))
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return text === ".nan" || text === ".NaN" || text === ".NAN" ? Number.NaN : text;
}

const LEAST_INT = -(2n ** 63n);
const GREATEST_UINT = 2n ** 64n - 1n;

/** 64 bits as in Go: longer decimals are floats, longer numbers of other bases are text. */
function integer(text: string): number | bigint | undefined {
  const negative = text.startsWith("-");
  let digits = text.replace(/^[-+]/, "");
  if (/^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`;
  else if (/^0[0-9]+$/.test(digits)) digits = digits.replace(/^0+(?=.)/, "");
  if (digits.length < 15) {
    const value = Number(digits);
    return Number.isNaN(value) ? undefined : negative ? -value : value;
  }
  const big = negative ? -BigInt(digits) : BigInt(digits);
  if (big < LEAST_INT || big > GREATEST_UINT) return /^[0-9]+$/.test(digits) ? Number(big) : undefined;
  const value = Number(big);
  return Number.isSafeInteger(value) ? value : big;
}
