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

/** The typed value of a scalar: only plain ones are resolved, unless a core tag asks for a type. */
export function scalarValue(node: Scalar): Tree {
  const value = node.value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (typeof value !== "string") return value === undefined || value === null ? null : (value as Tree);
  const tag = node.tag;
  if (tag !== undefined && tag !== "!override") {
    if (tag === "tag:yaml.org,2002:str" || tag === "!") return value;
    if (tag === BINARY) return Buffer.from(value, "base64").toString("utf8");
    if (tag.startsWith("tag:yaml.org,2002:")) return plainValue(value);
  }
  return node.type === "PLAIN" || node.type === undefined ? plainValue(value) : value;
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
