/**
 * Plain data as YAML that readers of 1.1 and of 1.2 understand alike. Owns quoting; a general emitter is ten times slower
 * and prints the same. Block style, two spaces, sequences indented.
 */

/** YAML text of a map, newline at the end. */
export function emitYaml(value: unknown): string {
  const out: string[] = [];
  if (typeof value !== "object" || value === null || isEmpty(value)) return `${scalarOrEmpty(value)}\n`;
  emitBlock(value, "", out);
  return `${out.join("\n")}\n`;
}

function isEmpty(value: object): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function emitBlock(value: object, indent: string, out: string[]): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) emitItem(item, indent, out);
    return;
  }
  for (const key in value) {
    const entry = (value as Readonly<Record<string, unknown>>)[key];
    if (entry !== undefined) emitEntry(`${indent}${text(key, "")}:`, entry, indent, out);
  }
}

function emitEntry(head: string, value: unknown, indent: string, out: string[]): void {
  if (typeof value !== "object" || value === null || isEmpty(value)) {
    out.push(`${head} ${typeof value === "string" ? text(value, `${indent}  `) : scalarOrEmpty(value)}`);
    return;
  }
  out.push(head);
  emitBlock(value, `${indent}  `, out);
}

/** A list's item; the first line of a map or list in it stands behind the dash. */
function emitItem(item: unknown, indent: string, out: string[]): void {
  if (typeof item !== "object" || item === null || isEmpty(item)) {
    emitEntry(`${indent}-`, item, indent, out);
    return;
  }
  const first = out.length;
  emitBlock(item, `${indent}  `, out);
  const line = out[first] ?? "";
  out[first] = `${indent}- ${line.slice(indent.length + 2)}`;
}

function scalarOrEmpty(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return number(value);
  if (typeof value === "object") return Array.isArray(value) ? "[]" : "{}";
  return typeof value === "string" ? text(value, "") : String(value);
}

function number(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  const shown = String(value);
  // 1e21 is text to readers of YAML 1.1, which want a point
  return /^-?\d+e/.test(shown) ? shown.replace("e", ".0e") : shown;
}

/** Starts with a letter, a slash or a dollar, and holds nothing that means something to YAML. */
const PLAIN = /^[A-Za-z/$_][\w./$@%+=~^;()?*!&<>|\\-]*(?:[: ,][\w./$@%+=~^;()?*!&<>|\\'"-]+)*$/;
/** Words that some version of YAML reads as something else than text. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|_*e?[-+.\de_]*)$/i;

/** A string as one scalar; block style for lines, so that scripts stay readable. */
function text(value: string, indent: string): string {
  if (value.length < 512 && PLAIN.test(value) && !WORDS.test(value)) return value;
  const isBlock =
    indent !== "" &&
    value.includes("\n") &&
    !/^[ \n]|[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|\t/.test(value);
  if (!isBlock) return quoted(value);
  const keep = value.endsWith("\n\n") ? "+" : value.endsWith("\n") ? "" : "-";
  const body = keep === "-" ? value : value.slice(0, -1);
  const lines = body.split("\n").map((line) => (line === "" ? "" : `${indent}${line}`));
  return `|${keep}\n${lines.join("\n")}`;
}

/** JSON's double quotes are YAML's, but for characters that YAML does not allow as they are. */
function quoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
