/**
 * Plain data as YAML that readers of 1.1 and of 1.2 understand alike; a general emitter is ten times slower and prints
 * the same. Block style, two spaces, sequences indented.
 */
import { numberText } from "../tree.js";
import { yamlScalar } from "./yaml-quote.js";

/** YAML text of a map (an object, or a `Map` where the order of keys that look like numbers matters), newline at the end. Maps in it begin `step` further in. */
export function emitYaml(value: unknown, step = "  "): string {
  const out: string[] = [];
  if (typeof value !== "object" || value === null || isEmpty(value)) return `${scalarOrEmpty(value)}\n`;
  emitBlock(value, "", out, step);
  return `${out.join("\n")}\n`;
}

function isEmpty(value: object): boolean {
  if (value instanceof Map) return value.size === 0;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function emitBlock(value: object, indent: string, out: string[], step: string): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) emitItem(item, indent, out, step);
    return;
  }
  const entries = value instanceof Map ? (value as ReadonlyMap<string, unknown>) : Object.entries(value);
  for (const [key, entry] of entries) {
    if (entry !== undefined) emitEntry(`${indent}${yamlScalar(key)}:`, entry, indent, out, step);
  }
}

function emitEntry(head: string, value: unknown, indent: string, out: string[], step: string): void {
  if (typeof value !== "object" || value === null || isEmpty(value)) {
    out.push(`${head} ${typeof value === "string" ? yamlScalar(value, indent + step) : scalarOrEmpty(value)}`);
    return;
  }
  out.push(head);
  emitBlock(value, indent + step, out, step);
}

/** A list's item; the first line of a map or list in it stands behind the dash. */
function emitItem(item: unknown, indent: string, out: string[], step: string): void {
  if (typeof item !== "object" || item === null || isEmpty(item)) {
    emitEntry(`${indent}-`, item, indent, out, step);
    return;
  }
  const first = out.length;
  emitBlock(item, `${indent}  `, out, step);
  const line = out[first] ?? "";
  out[first] = `${indent}- ${line.slice(indent.length + 2)}`;
}

function scalarOrEmpty(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return number(value);
  if (typeof value === "object") return Array.isArray(value) ? "[]" : "{}";
  return typeof value === "string" ? yamlScalar(value) : String(value);
}

function number(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  return numberText(value);
}
