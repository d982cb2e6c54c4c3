/** Prints a project as `config` does: JSON and YAML in the normal form, `$` doubled so that the output loads again. */
import { goJson } from "../../lib/go-json.js";
import type { Kind } from "../model/kinds.js";
import { ATTRIBUTES, SECTIONS } from "../model/project.js";
import type { FileObject, Project } from "../model.js";
import type { PathTable, TreeMap } from "../tree.js";
import { pathTable, stepKey } from "../tree.js";
import { emitYaml } from "./emit-yaml.js";
import { byteOrder, naturalOrder } from "./key-order.js";

/** How `config` differs from the form that loads again. */
export interface OutputOptions {
  /** Leave `$` single: the output is not meant to be loaded again. */
  readonly keepDollars?: boolean;
}
/** Maps keep their order whatever their keys look like: an object would put `"10"` before `"9"` and both before `"1a"`. */
type Plain = null | boolean | number | bigint | string | Plain[] | ReadonlyMap<string, Plain>;

const RESOURCES = ["networks", "volumes", "secrets", "configs"] as const;

/** The printed form as plain data. JSON leaves out nested extensions and `models`; YAML leaves out what is empty. */
export function toConfigObject(
  project: Project,
  format: "json" | "yaml",
  options: OutputOptions = {},
): Record<string, unknown> {
  return plainObject(configOf(project, format, options)) as Record<string, unknown>;
}

function plainObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainObject);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(
    [...(value as ReadonlyMap<string, unknown>)].map(([key, entry]) => [key, plainObject(entry)]),
  );
}

/** The printed form in its order. */
function configOf(project: Project, format: "json" | "yaml", options: OutputOptions): ReadonlyMap<string, unknown> {
  const result = new Map<string, unknown>([["name", project.name]]);
  const print = (section: string, value: unknown): Plain =>
    printed(value, section, format, options.keepDollars !== true);
  if (format === "yaml") result.set("services", print("services", project.services));
  for (const section of RESOURCES) {
    if (Object.keys(project[section]).length > 0) {
      const value =
        section === "secrets" || section === "configs" ? withoutResolvedContent(project[section]) : project[section];
      result.set(section, print(section, value));
    }
  }
  if (format === "json") result.set("services", print("services", project.services));
  else if (Object.keys(project.models).length > 0) result.set("models", print("models", project.models));
  for (const key of Object.keys(project).sort(ORDERS[format])) {
    if (key.startsWith("x-")) result.set(key, print(key, project[key as `x-${string}`]));
  }
  return format === "yaml" ? result : new Map([...result].sort(([a], [b]) => byteOrder(a, b)));
}

/** Values of the environment are never printed. */
function withoutResolvedContent(objects: Readonly<Record<string, FileObject>>): Record<string, FileObject> {
  return Object.fromEntries(
    Object.entries(objects).map(([key, { content, ...object }]) => [
      key,
      object.environment === undefined && content !== undefined ? { ...object, content } : object,
    ]),
  );
}

/** Kinds of maps whose keys are names. */
const MAPS = new Set<Kind>(["map", "environment", "options", "ulimits", "map-of-structs"]);
/** Where they stand: a key `x-foo` there is a name, not an extension, and they are printed in order. */
const NAMES: PathTable<true> = pathTable(
  [...Object.keys(SECTIONS), ...ATTRIBUTES.filter(({ field }) => MAPS.has(field.kind)).map(({ path }) => path)].map(
    (path) => [path, true] as const,
  ),
);
const ORDERS = { json: byteOrder, yaml: naturalOrder } as const;
const BLKIO_KEYS: Readonly<Record<string, string>> = { path: "Path", rate: "Rate", weight: "Weight" };

function printed(value: unknown, section: string, format: "json" | "yaml", doubleDollars: boolean): Plain {
  const order = ORDERS[format];
  const dollars = (text: string): string => (doubleDollars && text.includes("$") ? text.replaceAll("$", "$$$$") : text);
  /** What nobody but its reader understands: everything is kept, every key is a name. */
  const extension = (node: unknown): Plain => {
    if (typeof node === "string") return dollars(node);
    if (typeof node !== "object" || node === null) return node as Plain;
    // Go's nil slice
    if (Array.isArray(node)) return node.length === 0 && format === "json" ? null : node.map(extension);
    return new Map(sortedEntries(node, order).map(([name, entry]) => [dollars(name), extension(entry)]));
  };
  const walk = (node: unknown, table: PathTable<true> | undefined, key: string): Plain => {
    if (typeof node === "string") return dollars(node);
    if (Array.isArray(node)) return node.map((item) => walk(item, table?.item, key));
    if (typeof node !== "object" || node === null) return node as Plain;
    const result = new Map<string, Plain>();
    const isNames = table?.value === true;
    for (const [name, entry] of isNames ? sortedEntries(node, order) : extensionsLast(node, order)) {
      const isExtension = name.startsWith("x-") && !isNames;
      if (entry === undefined || (isExtension && format === "json")) continue;
      const bound = isExtension
        ? extension(entry)
        : walk(entry, table === undefined ? undefined : stepKey(table, name), name);
      if (!isNames && !isExtension && format === "yaml" && isOmitted(name, bound)) continue;
      const shown = format === "json" && isBlkioDevice(key) ? (BLKIO_KEYS[name] ?? name) : name;
      // the reference doubles `$` in the whole text, keys included
      result.set(dollars(shown), bound);
    }
    return result;
  };
  return section.startsWith("x-") ? extension(value) : walk(value, stepKey(NAMES, section), section);
}

function sortedEntries(map: object, order: (a: string, b: string) => number): [string, unknown][] {
  return Object.entries(map).sort(([a], [b]) => order(a, b));
}

/** The fields of a struct in their own order, then its extensions sorted. */
function extensionsLast(struct: object, order: (a: string, b: string) => number): [string, unknown][] {
  const entries = Object.entries(struct);
  const extensions = entries.filter(([name]) => name.startsWith("x-")).sort(([a], [b]) => order(a, b));
  return extensions.length === 0 ? entries : [...entries.filter(([name]) => !name.startsWith("x-")), ...extensions];
}

function isBlkioDevice(key: string): boolean {
  return key === "weight_device" || /^device_(?:read|write)_(?:bps|iops)$/.test(key);
}

/** What YAML leaves out although JSON prints it. */
function isOmitted(name: string, value: Plain): boolean {
  if (value === null) return name === "command" || name === "entrypoint";
  const empty = value instanceof Map && value.size === 0;
  return empty && (name === "ipam" || name === "resources" || name === "placement" || name === "exec");
}

/** Two-space JSON without a newline at the end, as the reference prints it. */
export function toConfigJson(project: Project, options: OutputOptions = {}): string {
  return goJson(configOf(project, "json", options), 2);
}

/** The services alone, as `--lock-image-digests` prints them, newline at the end. */
export async function toServicesText(project: Project, format: "json" | "yaml"): Promise<string> {
  const services = new Map([["services", configOf(project, format, {}).get("services")]]);
  return format === "json" ? `${goJson(services, 2)}\n` : await treeYaml(services);
}

/** YAML with two spaces, sequences indented. */
export async function toConfigYaml(project: Project, options: OutputOptions = {}): Promise<string> {
  return await treeYaml(configOf(project, "yaml", options));
}

/** An untyped model as text, its keys in order. */
export function toModelText(tree: TreeMap, format: "json" | "yaml"): string {
  const sorted = inOrder(tree, ORDERS[format]);
  return format === "json" ? goJson(sorted, 2) : emitYaml(sorted);
}

function inOrder(value: unknown, order: (a: string, b: string) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => inOrder(item, order));
  if (typeof value !== "object" || value === null) return value;
  return new Map(sortedEntries(value, order).map(([key, entry]) => [key, inOrder(entry, order)]));
}

/** Any plain data as YAML that YAML 1.1 and 1.2 readers understand alike. */
export async function treeYaml(value: unknown, step?: string): Promise<string> {
  return emitYaml(value, step);
}
