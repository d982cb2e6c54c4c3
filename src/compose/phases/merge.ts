/**
 * Merges one tree onto another: maps deep, lists appended, scalars replaced, with the exceptions in one table.
 * Changes its first argument. Duplicates of lists are folded later, by unicity.ts.
 */
import { TscError } from "../../lib/errors.js";
import type { PathTable, Tree, TreeMap } from "../tree.js";
import { isMap, newMap, pathTable, pathText, scalarText, stepKey } from "../tree.js";

type Merger = (base: Tree, other: Tree, path: readonly string[], table: PathTable<Merger>) => Tree;

const replace: Merger = (_base, other) => other;
const sequences: Merger = (base, other) => [...toSequence(base), ...toSequence(other)];
const asKeys =
  (fill: () => Tree): Merger =>
  (base, other, path, table) =>
    mergeMaps(toMapping(base, fill), toMapping(other, fill), path, table);

/** `list of names or map` to a map. */
function toMapping(value: Tree, fill: () => Tree): TreeMap {
  if (isMap(value)) return value;
  const map = newMap();
  if (Array.isArray(value)) for (const key of value) map[scalarText(key)] = fill();
  return map;
}

/** `map, list or one string` to `k=v` entries; a null value gives a bare key. Keys of a map are sorted. */
function toSequence(value: Tree): Tree[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return [value];
  if (!isMap(value)) return [];
  return Object.keys(value)
    .sort()
    .flatMap((key): Tree[] => {
      const entry = value[key] as Tree;
      if (Array.isArray(entry)) return entry.map((item) => `${key}=${scalarText(item)}`);
      return [entry === null ? key : `${key}=${scalarText(entry)}`];
    });
}

const extraHosts: Merger = (base, other) => {
  const kept = toSequence(base);
  const known = new Set(kept.map(scalarText));
  return [...kept, ...toSequence(other).filter((host) => !known.has(scalarText(host)))];
};

const build: Merger = (base, other, path, table) => mergeMaps(buildMap(base), buildMap(other), path, table);
function buildMap(value: Tree): TreeMap {
  if (isMap(value)) return value;
  const map = newMap();
  if (value !== null) map["context"] = value;
  return map;
}

const logging: Merger = (base, other, path, table) => {
  if (!isMap(base) || !isMap(other)) return other ?? base;
  const drivers = [base["driver"], other["driver"]];
  const same = drivers[0] === drivers[1] || drivers.includes(undefined as unknown as Tree);
  return same ? mergeMaps(base, other, path, table) : other;
};

const ipamPools: Merger = (base, other, path, table) => {
  if (!Array.isArray(base) || !Array.isArray(other)) return mergePlain(base, other, path, table);
  const pools = [...base];
  for (const pool of other) {
    const same = isMap(pool) ? pools.findIndex((known) => isMap(known) && known["subnet"] === pool["subnet"]) : -1;
    const known = pools[same];
    if (isMap(known) && isMap(pool)) pools[same] = mergeMaps(known, pool, path, { keys: new Map() });
    else pools.push(pool);
  }
  return pools;
};

const startedDependency = (): Tree => Object.assign(newMap(), { condition: "service_started", required: true });

/** The merge policy: everything not listed here is merged by its type. */
const SPECIALS: PathTable<Merger> = pathTable<Merger>([
  ["networks.*.ipam.config", ipamPools],
  ["networks.*.labels", sequences],
  ["volumes.*.labels", sequences],
  ["services.*.annotations", sequences],
  ["services.*.build", build],
  ["services.*.build.args", sequences],
  ["services.*.build.additional_contexts", sequences],
  ["services.*.build.extra_hosts", extraHosts],
  ["services.*.build.labels", sequences],
  ["services.*.command", replace],
  ["services.*.depends_on", asKeys(startedDependency)],
  ["services.*.deploy.labels", sequences],
  ["services.*.dns", sequences],
  ["services.*.dns_opt", sequences],
  ["services.*.dns_search", sequences],
  ["services.*.entrypoint", replace],
  ["services.*.env_file", sequences],
  ["services.*.label_file", sequences],
  ["services.*.environment", sequences],
  ["services.*.extra_hosts", extraHosts],
  ["services.*.healthcheck.test", replace],
  ["services.*.labels", sequences],
  ["services.*.logging", logging],
  ["services.*.models", asKeys(() => null)],
  ["services.*.networks", asKeys(() => null)],
  ["services.*.sysctls", sequences],
  ["services.*.tmpfs", sequences],
  ["services.*.ulimits.*", replace],
]);

/** The project tree with `other` merged onto it. Throws TSC_COMPOSE_MERGE when the types cannot be merged. */
export function mergeTrees(base: TreeMap, other: TreeMap): TreeMap {
  return mergeMaps(base, other, [], SPECIALS);
}

/** One service merged onto the service it extends. */
export function mergeService(base: TreeMap, service: TreeMap): TreeMap {
  const table = stepKey(stepKey(SPECIALS, "services"), "x");
  return mergeMaps(base, service, ["services", "x"], table ?? { keys: new Map() });
}

function merge(base: Tree, other: Tree, path: readonly string[], table: PathTable<Merger> | undefined): Tree {
  const special = table?.value;
  return special === undefined
    ? mergePlain(base, other, path, table)
    : special(base, other, path, table as PathTable<Merger>);
}

function mergePlain(base: Tree, other: Tree, path: readonly string[], table: PathTable<Merger> | undefined): Tree {
  if (other === null) return base;
  if (isMap(base)) {
    if (isMap(other)) return mergeMaps(base, other, path, table ?? EMPTY);
  } else if (Array.isArray(base)) {
    if (Array.isArray(other)) return [...base, ...other];
  } else return other;
  throw new TscError("TSC_COMPOSE_MERGE", `cannot override ${pathText(path)}: the files give it different types`, {
    kind: "invalid-input",
  });
}

const EMPTY: PathTable<Merger> = { keys: new Map() };

function mergeMaps(base: TreeMap, other: TreeMap, path: readonly string[], table: PathTable<Merger>): TreeMap {
  for (const key in other) {
    const value = other[key] as Tree;
    base[key] = key in base ? merge(base[key] as Tree, value, [...path, key], stepKey(table, key)) : value;
  }
  return base;
}
