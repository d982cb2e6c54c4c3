/**
 * The untyped tree every phase works on, and tables that map path patterns to values. Owns no compose knowledge.
 * Maps have no prototype, so keys such as `__proto__` are ordinary keys.
 */

import { TscError } from "../lib/errors.js";

/** A value of a parsed compose file. bigint holds integers beyond 2^53. */
export type Tree = null | boolean | number | bigint | string | Tree[] | TreeMap;
/** A mapping of a compose file; `newMap` makes one. */
export interface TreeMap {
  [key: string]: Tree;
}
/** Where a value is: map keys and list indexes from the root. */
export type Path = readonly (string | number)[];

/** An empty map without a prototype. */
export function newMap(): TreeMap {
  return Object.create(null) as TreeMap;
}

/** True for a map of the tree (not a list, not null). */
export function isMap(value: unknown): value is TreeMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map under `key`, or undefined when it is absent or something else. */
export function mapAt(map: TreeMap, key: string): TreeMap | undefined {
  const value = map[key];
  return isMap(value) ? value : undefined;
}

/** A deep copy; sharing nothing with the original. */
export function cloneTree(value: Tree): Tree {
  if (Array.isArray(value)) return value.map(cloneTree);
  if (!isMap(value)) return value;
  const copy = newMap();
  for (const key in value) copy[key] = cloneTree(value[key] as Tree);
  return copy;
}

/** Dotted spelling for messages, `services.web.ports.0`. */
export function pathText(path: Path): string {
  return path.join(".");
}

/** Spelling with indexes as `[0]`, `services.web.ports[0]`. */
export function bracketPath(path: Path): string {
  let text = "";
  for (const part of path) text += typeof part === "number" ? `[${part}]` : text === "" ? part : `.${part}`;
  return text;
}

/** One level of a table: exact keys, any key (`*`), any list item (`[]`), and the value that ends here. */
export interface PathTable<T> {
  value?: T;
  readonly keys: Map<string, PathTable<T>>;
  any?: PathTable<T>;
  item?: PathTable<T>;
}

/** Builds a table from patterns such as `services.*.ports[].target`; an exact key wins over `*`. */
export function pathTable<T>(entries: readonly (readonly [pattern: string, value: T])[]): PathTable<T> {
  const root: PathTable<T> = { keys: new Map() };
  for (const [pattern, value] of entries) {
    let node = root;
    for (const part of pattern.replaceAll("[]", ".[]").split(".")) node = childFor(node, part);
    node.value = value;
  }
  return root;
}

function childFor<T>(node: PathTable<T>, part: string): PathTable<T> {
  if (part === "*") {
    node.any ??= { keys: new Map() };
    return node.any;
  }
  if (part === "[]") {
    node.item ??= { keys: new Map() };
    return node.item;
  }
  let child = node.keys.get(part);
  if (child === undefined) {
    child = { keys: new Map() };
    node.keys.set(part, child);
  }
  return child;
}

/** True for the pattern `place` and for those of what is inside it. */
export function isAtOrBelow(pattern: string, place: string): boolean {
  return pattern === place || pattern.startsWith(`${place}.`) || pattern.startsWith(`${place}[`);
}

/** The table below a map key, or undefined when no pattern goes there. */
export function stepKey<T>(table: PathTable<T> | undefined, key: string): PathTable<T> | undefined {
  return table === undefined ? undefined : (table.keys.get(key) ?? table.any);
}

/** What takes the place of a value, given the rule for its path. */
type Visit<R> = (value: Tree, rule: R, path: Path) => Tree;

/** Visits in place each value whose path has a rule, outermost first: what a visit returns takes the value's place and is walked on. */
export function walkTable<T>(root: Tree, table: PathTable<T>, visit: Visit<T>): Tree {
  return walk(root, table, (value, rule, path) => (rule === undefined ? value : visit(value, rule, [...path])), false);
}

/** Visits in place every value, with the rule for its path where there is one. The path is valid during the call only: copy it to keep it. */
export function walkAll<T>(root: Tree, table: PathTable<T> | undefined, visit: Visit<T | undefined>): Tree {
  return walk(root, table, visit, true);
}

function walk<T>(
  root: Tree,
  table: PathTable<T> | undefined,
  visit: Visit<T | undefined>,
  isEverywhere: boolean,
): Tree {
  const path: (string | number)[] = [];
  const inside = (value: Tree, key: string | number, at: PathTable<T> | undefined): Tree => {
    if (at === undefined && !isEverywhere) return value;
    path.push(key);
    const changed = step(value, at);
    path.pop();
    return changed;
  };
  const step = (value: Tree, at: PathTable<T> | undefined): Tree => {
    const changed = visit(value, at?.value, path);
    if (Array.isArray(changed)) {
      for (let i = 0; i < changed.length; i++) changed[i] = inside(changed[i] as Tree, i, at?.item);
    } else if (isMap(changed)) {
      for (const key in changed) changed[key] = inside(changed[key] as Tree, key, stepKey(at, key));
    }
    return changed;
  };
  return step(root, table);
}

/** Text of a scalar as Go prints it (`%v`); null as an empty string. Throws TSC_COMPOSE_TYPE for maps and lists. */
export function scalarText(value: Tree): string {
  if (value === null) return "";
  if (typeof value === "number") return numberText(value);
  if (typeof value === "object") {
    const what = Array.isArray(value) ? "list" : "mapping";
    throw new TscError("TSC_COMPOSE_TYPE", `must be a string, not a ${what}`, { kind: "invalid-input" });
  }
  return String(value);
}

/** A number as Go prints it: whole ones up to 2^53 are integers, others floats with exponents from 1e6 and below 1e-4. */
export function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const magnitude = Math.abs(value);
  const text = magnitude < 1e-4 || magnitude >= 1e6 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}
