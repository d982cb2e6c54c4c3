/** Prints a project as `config` does: JSON and YAML in the normal form, `$` doubled so that the output loads again. */
import { sortedKeys } from "./bind.js";
import { emitYaml } from "./emit-yaml.js";
import type { FileObject, Project } from "./model.js";

export interface OutputOptions {
  /** Leave `$` single: the output is not meant to be loaded again. */
  readonly keepDollars?: boolean;
}
type Plain = null | boolean | number | bigint | string | Plain[] | { [key: string]: Plain };

const SECTIONS = ["networks", "volumes", "secrets", "configs"] as const;

/** The printed form as data. JSON leaves out nested extensions and `models`; YAML leaves out what is empty. */
export function toConfigObject(
  project: Project,
  format: "json" | "yaml",
  options: OutputOptions = {},
): Record<string, unknown> {
  const result: Record<string, unknown> = { name: project.name };
  const print = (value: unknown): Plain => printed(value, format, options.keepDollars !== true);
  if (format === "yaml") result["services"] = print(project.services);
  for (const section of SECTIONS) {
    if (Object.keys(project[section]).length > 0) {
      const value =
        section === "secrets" || section === "configs" ? withoutResolvedContent(project[section]) : project[section];
      result[section] = print(value);
    }
  }
  if (format === "json") result["services"] = print(project.services);
  else if (Object.keys(project.models).length > 0) result["models"] = print(project.models);
  for (const key of sortedKeys(project)) {
    if (key.startsWith("x-")) result[key] = print(project[key as `x-${string}`]);
  }
  if (format === "yaml") return result;
  return Object.fromEntries(sortedKeys(result).map((key) => [key, result[key]]));
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

/** Parents whose keys are names: a key `x-foo` there is a name, not an extension. */
const NAME_PARENTS = new Set([
  "services",
  "networks",
  "volumes",
  "secrets",
  "configs",
  "models",
  "depends_on",
  "environment",
  "labels",
  "options",
  "driver_opts",
  "args",
  "annotations",
  "sysctls",
  "storage_opt",
  "additional_contexts",
  "ulimits",
  "aux_addresses",
]);
const BLKIO_KEYS: Readonly<Record<string, string>> = { path: "Path", rate: "Rate", weight: "Weight" };

function printed(value: unknown, format: "json" | "yaml", doubleDollars: boolean): Plain {
  const walk = (node: unknown, key: string, parent: string, inExtension: boolean): Plain | undefined => {
    if (typeof node === "string") return doubleDollars && node.includes("$") ? node.replaceAll("$", "$$$$") : node;
    if (Array.isArray(node)) return node.map((item) => walk(item, key, parent, inExtension) ?? null);
    if (typeof node !== "object" || node === null) return node as Plain;
    const result = Object.create(null) as Record<string, Plain>;
    const names = NAME_PARENTS.has(key) || inExtension;
    for (const [name, entry] of Object.entries(node)) {
      const extension = name.startsWith("x-") && !names;
      if (extension && format === "json") continue;
      const bound = walk(entry, name, key, inExtension || extension);
      if (bound === undefined || (!inExtension && !extension && format === "yaml" && isOmitted(name, bound))) continue;
      const shown = format === "json" && isBlkioDevice(key) ? (BLKIO_KEYS[name] ?? name) : name;
      // the reference doubles `$` in the whole text, keys included
      result[doubleDollars && shown.includes("$") ? shown.replaceAll("$", "$$$$") : shown] = bound;
    }
    return result;
  };
  return walk(value, "services", "", false) ?? null;
}

function isBlkioDevice(key: string): boolean {
  return key === "weight_device" || /^device_(?:read|write)_(?:bps|iops)$/.test(key);
}

/** What YAML leaves out although JSON prints it. */
function isOmitted(name: string, value: Plain): boolean {
  if (value === null) return name === "command" || name === "entrypoint";
  const empty = typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0;
  return empty && (name === "ipam" || name === "resources" || name === "placement" || name === "exec");
}

/** Two-space JSON with a newline at the end, as Go's encoder prints it. */
export function toConfigJson(project: Project, options: OutputOptions = {}): string {
  return `${JSON.stringify(toConfigObject(project, "json", options), bigints, 2)}\n`;
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** YAML with two spaces, sequences indented. */
export async function toConfigYaml(project: Project, options: OutputOptions = {}): Promise<string> {
  return await treeYaml(toConfigObject(project, "yaml", options));
}

/** Any plain data as YAML that YAML 1.1 and 1.2 readers understand alike. */
export async function treeYaml(value: unknown): Promise<string> {
  return emitYaml(value);
}
