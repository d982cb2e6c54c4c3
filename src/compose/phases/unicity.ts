/** Folds duplicate entries of lists: a later entry takes the place of the earlier one with the same key. */
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { Path, PathTable, Tree, TreeMap } from "../tree.js";
import { isMap, pathTable, scalarText, walkTable } from "../tree.js";
import { parseVolume } from "./short-volume.js";

/** The key of an entry; `at` is the entry's path for messages. */
type Indexer = (entry: Tree, at: () => string) => string;

const byName: Indexer = (entry) => {
  const text = scalarText(isMap(entry) ? null : entry);
  const equals = text.indexOf("=");
  return equals < 0 ? text : text.slice(0, equals);
};

const byExpose: Indexer = (entry, at) => {
  if (typeof entry === "string") return entry;
  if (typeof entry === "number" && Number.isInteger(entry)) return String(entry);
  throw invalid(`${at()}: unsupported expose value ${isMap(entry) || Array.isArray(entry) ? "" : scalarText(entry)}`);
};

const byVolumeTarget: Indexer = (entry, at) => {
  if (!isMap(entry)) return parseVolume(scalarText(entry)).target;
  const target = entry["target"];
  if (target === undefined || target === null) throw invalid(`service volume ${at()} is missing a mount target`);
  return scalarText(target);
};

const byDeviceTarget: Indexer = (entry, at) => {
  if (isMap(entry)) {
    const target = entry["target"];
    if (target === undefined || target === null) throw invalid(`service device ${at()} is missing a mount target`);
    return scalarText(target);
  }
  const parts = scalarText(entry).split(":");
  return parts[1] ?? parts[0] ?? "";
};

const byPort: Indexer = (entry, at) => {
  if (!isMap(entry)) return scalarText(entry);
  const target = entry["target"];
  if (target === undefined || target === null) throw invalid(`service ports ${at()} is missing a target port`);
  const host = scalarText(entry["host_ip"] ?? "0.0.0.0");
  // a port that is not published is another entry than one published under its own number
  return `${host}:${scalarText(entry["published"] ?? "")}:${scalarText(target)}/${scalarText(entry["protocol"] ?? "tcp")}`;
};

const byMountTarget =
  (folder: string): Indexer =>
  (entry) => {
    if (!isMap(entry)) return `${folder}/${scalarText(entry)}`;
    return entry["target"] === undefined
      ? `${folder}/${scalarText(entry["source"] ?? "")}`
      : scalarText(entry["target"]);
  };

const byEnvFile: Indexer = (entry, at) => {
  if (!isMap(entry)) return scalarText(entry);
  if (entry["path"] === undefined) throw invalid(`environment path attribute ${at()} is missing`);
  return scalarText(entry["path"]);
};

const NAMED = [
  "networks.*.labels",
  "networks.*.ipam.options",
  "services.*.annotations",
  "services.*.build.args",
  "services.*.build.additional_contexts",
  "services.*.build.platform",
  "services.*.build.tags",
  "services.*.build.labels",
  "services.*.cap_add",
  "services.*.cap_drop",
  "services.*.deploy.labels",
  "services.*.dns",
  "services.*.dns_opt",
  "services.*.dns_search",
  "services.*.environment",
  "services.*.labels",
  "services.*.links",
  "services.*.networks.*.aliases",
  "services.*.networks.*.link_local_ips",
  "services.*.profiles",
  "services.*.sysctls",
  "services.*.tmpfs",
] as const;

const INDEXERS: PathTable<Indexer> = pathTable<Indexer>([
  ...NAMED.map((pattern) => [pattern, byName] as const),
  ["services.*.configs", byMountTarget("")],
  ["services.*.devices", byDeviceTarget],
  ["services.*.env_file", byEnvFile],
  ["services.*.expose", byExpose],
  ["services.*.ports", byPort],
  ["services.*.secrets", byMountTarget("/run/secrets")],
  ["services.*.volumes", byVolumeTarget],
]);

/** Folds in place. Throws TSC_COMPOSE_INVALID for an entry that has no key. */
export function enforceUnicity(tree: TreeMap): TreeMap {
  walkTable(tree, INDEXERS, (value, index, path) => (Array.isArray(value) ? fold(value, index, path) : value));
  return tree;
}

function fold(list: readonly Tree[], index: Indexer, path: Path): Tree[] {
  const places = new Map<string, number>();
  const kept: Tree[] = [];
  list.forEach((entry, i) => {
    const key = placed(() => index(entry, () => [...path, `[${i}]`].join(".")), [...path, i]);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, kept.length);
      kept.push(entry);
    } else kept[place] = entry;
  });
  return kept;
}

/** Thrown for an entry without a key: where it stands in the tree, for whoever knows the files. */
export class EntryError extends TscError {
  readonly path: Path;

  constructor(cause: TscError, path: Path) {
    super(cause.code, cause.message, { kind: cause.kind, ...given({ hint: cause.hint }) });
    this.path = path;
  }
}

function placed<T>(work: () => T, path: Path): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof TscError ? new EntryError(error, path) : error;
  }
}

function invalid(message: string): TscError {
  return new TscError("TSC_COMPOSE_INVALID", message, { kind: "invalid-input" });
}
