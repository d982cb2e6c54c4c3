/** Every attribute that schemas/compose-spec.json knows, as a pattern such as `services.*.ports[].target`. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

type Node = Readonly<Record<string, unknown>>;

const FILE = resolve(import.meta.dirname, "../../schemas/compose-spec.json");
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);

/** Names of properties by pattern; what only a pattern of names stands for (`services.*`) is no attribute. */
export function schemaPaths(): string[] {
  const root = JSON.parse(readFileSync(FILE, "utf8")) as Node;
  const found = new Set<string>();
  const follow = (reference: string): unknown =>
    reference
      .replace(/^#\//, "")
      .split("/")
      .reduce<unknown>((node, key) => (isNode(node) ? node[key] : undefined), root);
  const walk = (node: unknown, path: string, references: readonly string[]): void => {
    if (!isNode(node)) return;
    const reference = node["$ref"];
    if (typeof reference === "string" && !references.includes(reference))
      walk(follow(reference), path, [...references, reference]);
    for (const key of ["oneOf", "anyOf", "allOf"])
      for (const branch of Array.isArray(node[key]) ? node[key] : []) walk(branch, path, references);
    for (const [name, below] of Object.entries(isNode(node["properties"]) ? node["properties"] : {})) {
      const at = path === "" ? name : `${path}.${name}`;
      found.add(at);
      walk(below, at, references);
    }
    for (const [pattern, below] of Object.entries(isNode(node["patternProperties"]) ? node["patternProperties"] : {}))
      if (!pattern.startsWith("^x-")) walk(below, `${path}.*`, references);
    walk(node["additionalProperties"], `${path}.*`, references);
    walk(node["items"], `${path}[]`, references);
  };
  walk(root, "", []);
  return [...found];
}
