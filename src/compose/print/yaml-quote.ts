/**
 * One string as a YAML scalar, quoted where some reader would take it for something else: the choices of the reference's
 * emitter (go-yaml v3), so that diffs between both outputs are empty. Knows nothing of structure but the indentation.
 */
import { hasUnprintable } from "../../lib/printable.js";

/** Everything a plain scalar can mean that is no text, by its first character or as a whole word. */
const WORDS = new Set(
  (
    "~ null Null NULL true True TRUE false False FALSE .nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF " +
    "y Y yes Yes YES on On ON n N no No NO off Off OFF"
  ).split(" "),
);
const NUMBER_START = /^[-+.0-9]/;
const DECIMAL = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const BASED = /^[-+]?0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO]?[0-7]+)$/;
/** Numbers of YAML 1.1 in base 60, `12:30:45`. */
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const TIMESTAMP =
  /^\d{4}-(\d{1,2})-(\d{1,2})(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/;

/** True when a plain scalar of this text would be a number, a date, a boolean or null. */
function meansSomethingElse(text: string): boolean {
  if (text === "" || WORDS.has(text)) return true;
  if (!NUMBER_START.test(text)) return false;
  if (SEXAGESIMAL.test(text)) return true;
  const date = TIMESTAMP.exec(text);
  if (date !== null) return Number(date[1]) <= 12 && Number(date[2]) <= 31;
  const digits = text.startsWith(".") ? text : text.replaceAll("_", "");
  if (BASED.test(digits)) return digits.length <= 66;
  return DECIMAL.test(digits) && Number.isFinite(Number(digits));
}

/** Not allowed unquoted: leading indicators, `: `, ` #`, document markers, blanks at the ends. */
const NOT_PLAIN = /^[#,[\]{}&*!|>'"%@`]|^[-?:](?:\s|$)|^(?:---|\.\.\.)|:(?:\s|$)|\s#|^\s|\s$|[\n\t\u2028\u2029]/;
/** Characters that only a double-quoted scalar can hold; astral ones too, as the reference's emitter has it. */
const SPECIAL = /[^\n\t\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

/**
 * A string as a scalar. `indent` is where the lines of a block scalar start; without it (keys) there is no block style.
 */
export function yamlScalar(text: string, indent?: string): string {
  // the reference prints what reorders text on a terminal as it is; a reader gets the same either way
  if (SPECIAL.test(text) || hasUnprintable(text.replaceAll(/[\n\t]/g, ""))) return doubleQuoted(text);
  if (text.includes("\n")) {
    return indent === undefined || / \n| $/.test(text) ? doubleQuoted(text) : literal(text, indent);
  }
  if (text.includes("\t")) return doubleQuoted(text);
  if (meansSomethingElse(text)) return doubleQuoted(text);
  // a key `<<` would be a merge; the reference prints it so and cannot read it again
  if (indent === undefined && text === "<<") return '"<<"';
  return NOT_PLAIN.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
}

function literal(text: string, indent: string): string {
  const hint = /^[ \n]/.test(text) ? "2" : "";
  const chomp = /^\n$|\n\n$/.test(text) ? "+" : text.endsWith("\n") ? "" : "-";
  const body = chomp === "-" ? text : text.slice(0, -1);
  const lines = body.split("\n").map((line) => (line === "" ? "" : `${indent}${line}`));
  return `|${hint}${chomp}\n${lines.join("\n")}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function doubleQuoted(text: string): string {
  let result = "";
  for (const character of text)
    result += ESCAPES[character] ?? (SPECIAL.test(character) || hasUnprintable(character) ? hex(character) : character);
  return `"${result}"`;
}

function hex(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16).toUpperCase();
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
