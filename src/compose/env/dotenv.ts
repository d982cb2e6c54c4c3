/**
 * The grammar of compose's `.env` and `env_file` files. Differs from the npm dotenv grammar: `A=x#c` keeps `#c`,
 * `$B` expands unless single-quoted, a bare `A` inherits, `A: x` assigns. Reads no files.
 */
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { withoutTrailing } from "../../lib/trim.js";
import type { Lookup } from "./template.js";
import { substitute } from "./template.js";

/** What one of several files knows of the ones before it, and who hears of variables that nobody sets. */
export interface DotenvOptions {
  /** Called with variables that are used but set nowhere. */
  readonly onUnset?: (name: string) => void;
  /** Values of files read before; later lookups see them after `lookup`. */
  readonly preset?: ReadonlyMap<string, string>;
}

interface Entry {
  readonly key: string;
  /** undefined: a bare key, inherited. */
  readonly raw: string | undefined;
  readonly quote: "'" | '"' | "";
  readonly next: number;
}

/**
 * The variables of one file in order, after those of `preset`. `lookup` is the environment that wins inside `${}` and gives bare keys their
 * value. Throws TSC_COMPOSE_DOTENV_INVALID with the line number.
 */
export function parseDotenv(source: string, lookup: Lookup, options: DotenvOptions = {}): Map<string, string> {
  const text = source.replace(/^\uFEFF/, "");
  const result = new Map<string, string>(options.preset);
  const find: Lookup = (name) => lookup(name) ?? result.get(name);
  let at = 0;
  for (;;) {
    at = statementStart(text, at);
    if (at >= text.length) break;
    const entry = parseEntry(text, at);
    at = entry.next;
    const value =
      entry.raw === undefined
        ? lookup(entry.key)
        : entry.quote === "'"
          ? entry.raw
          : expandValue(entry.raw, entry.quote, find, options.onUnset);
    if (value !== undefined) result.set(entry.key, value);
  }
  return result;
}

function expandValue(raw: string, quote: string, lookup: Lookup, onUnset: DotenvOptions["onUnset"]): string {
  const text = quote === '"' ? unescapeQuoted(raw) : raw;
  return substitute(text, lookup, given({ onUnset }));
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  c: "\x03",
};

/** Escapes of a double-quoted value; `\$` becomes `$$` so that it stays a dollar. */
function unescapeQuoted(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([abcfnrtv$"\\]|0[0-7]{0,3})/g, (whole, sequence: string) => {
    if (sequence === "$") return "$$";
    if (sequence === '"' || sequence === "\\") return sequence;
    if (sequence.startsWith("0")) {
      const code = Number.parseInt(sequence, 8);
      return code <= 255 ? String.fromCharCode(code) : whole;
    }
    return ESCAPES[sequence] ?? whole;
  });
}

/** Index of the next statement's first character, past blanks, newlines and comments. */
function statementStart(text: string, from: number): number {
  let i = from;
  for (; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "#") {
      const newline = text.indexOf("\n", i);
      if (newline < 0) return text.length;
      i = newline;
    } else if (!isSpace(c)) return i;
  }
  return i;
}

function isSpace(c: string): boolean {
  return (
    c === " " || c === "\t" || c === "\n" || c === "\r" || c === "\v" || c === "\f" || c === "\u0085" || c === "\u00a0"
  );
}

function parseEntry(text: string, from: number): Entry {
  const prefix = /^export[ \t\v\f]+/.exec(text.slice(from, from + 64));
  const start = prefix === null ? from : from + prefix[0].length;
  let i = start;
  for (; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "=" || c === ":" || c === "\n") break;
    if (!/[\p{L}\p{Nd}_.\-[\] \t\v\f\r\u00a0\u0085]/u.test(c)) {
      const end = text.indexOf("\n", from);
      throw invalid(
        text,
        i,
        `unexpected character ${JSON.stringify(c)} in variable name ${JSON.stringify(text.slice(start, end < 0 ? text.length : end))}`,
      );
    }
  }
  const bare = i >= text.length || text[i] === "\n";
  const key = withoutTrailing(text.slice(start, i), " \t\v\f\r\u00a0\u0085");
  if (/[ \t\v\f\u00a0\u0085]/.test(key)) throw invalid(text, i, "key cannot contain a space");
  if (bare) return { key, raw: undefined, quote: "", next: i + 1 };
  let valueStart = i + 1;
  while (
    text[valueStart] === " " ||
    text[valueStart] === "\t" ||
    text[valueStart] === "\v" ||
    text[valueStart] === "\f" ||
    text[valueStart] === "\r"
  )
    valueStart++;
  const quote = text[valueStart];
  return quote === "'" || quote === '"' ? quoted(text, key, valueStart, quote) : unquoted(text, key, valueStart);
}

function unquoted(text: string, key: string, from: number): Entry {
  const newline = text.indexOf("\n", from);
  const end = newline < 0 ? text.length : newline;
  const line = text.slice(from, end);
  // a comment starts at the first # that follows a blank inside the value
  const comment = /[ \t]#/.exec(line);
  const raw = trimmedEnd(comment === null ? line : line.slice(0, comment.index));
  return { key, raw, quote: "", next: end };
}

/** Without white space at its end, which here has one character more than JavaScript's. */
function trimmedEnd(text: string): string {
  let trimmed = text.trimEnd();
  while (trimmed.endsWith("\u0085")) trimmed = trimmed.slice(0, -1).trimEnd();
  return trimmed;
}

function quoted(text: string, key: string, from: number, quote: "'" | '"'): Entry {
  for (let i = from + 1; i < text.length; i++) {
    const c = text[i];
    if (c === "\\") {
      i++;
      continue;
    }
    if (c === quote) {
      const raw = text.slice(from + 1, i);
      return {
        key,
        raw: quote === "'" ? raw.replace(/\\(.)/gs, (pair, next) => (next === "'" ? next : pair)) : raw,
        quote,
        next: i + 1,
      };
    }
  }
  const newline = text.indexOf("\n", from);
  throw invalid(text, from, `unterminated quoted value ${text.slice(from, newline < 0 ? text.length : newline)}`);
}

function invalid(text: string, at: number, message: string): TscError {
  const line = text.slice(0, at).split("\n").length;
  return new TscError("TSC_COMPOSE_DOTENV_INVALID", `line ${line}: ${message}`, { kind: "invalid-input" });
}
