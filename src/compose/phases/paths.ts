/** Makes the paths of a tree absolute (or relative to an including file's folder), by a table. Reads only symbolic links. */
import { isAbsolute, join, posix } from "node:path";
import { TscError } from "../../lib/errors.js";
import type { ComposeFs, RemoteLoader } from "../options.js";
import type { PathTable, Tree, TreeMap } from "../tree.js";
import { isMap, pathTable, scalarText, walkTable } from "../tree.js";

/** What resolving needs to know. `base` may be relative, for files that are merged into another project. */
export interface PathOptions {
  readonly base: string;
  readonly home: string | undefined;
  readonly fs: ComposeFs;
  readonly remotes: readonly RemoteLoader[];
}
type Resolve = (value: Tree, options: PathOptions) => Tree;

/** No path of Linux is longer (PATH_MAX), and joining takes minutes for half a megabyte of `a/../`. */
const MAX_PATH = 4096;

function checkLength(path: string): void {
  if (path.length <= MAX_PATH) return;
  throw new TscError("TSC_COMPOSE_INVALID", `a path of ${path.length} characters is too long: ${path.slice(0, 40)}…`, {
    kind: "invalid-input",
  });
}

/** `~` and `~/x` under the home folder (`~x` too, as in the reference: it knows no other users). */
export function expandHome(path: string, home: string | undefined): string {
  checkLength(path);
  if (!path.startsWith("~") || home === undefined || home === "") return path;
  return path === "~" ? home : withoutTrailingSlash(join(home, path.slice(1)));
}

/** A path under `base` unless it is absolute. */
export function resolvePath(path: string, options: Pick<PathOptions, "base" | "home">): string {
  const expanded = expandHome(path, options.home);
  if (expanded === "" || isAbsolute(expanded)) return expanded;
  return /^(?:[A-Za-z]:[\\/]|\\\\)/.test(expanded) ? expanded : withoutTrailingSlash(join(options.base, expanded));
}

/** Lexically shortest path, as Go's path.Clean. */
export function cleanPath(path: string): string {
  checkLength(path);
  return path === "" ? "" : withoutTrailingSlash(posix.normalize(path));
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** True for a build context that is not a path: a URL, a git remote or another service. `./a://b` is a path. */
export function isRemoteContext(value: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|service:)/i.test(value);
}

const plain: Resolve = (value, options) => (typeof value === "string" ? resolvePath(value, options) : value);
const buildContext: Resolve = (value, options) =>
  typeof value !== "string" || isRemoteContext(value) || options.remotes.some((remote) => remote.accepts(value))
    ? value
    : resolvePath(value, options);
const extended: Resolve = (value, options) =>
  typeof value !== "string" || options.remotes.some((remote) => remote.accepts(value))
    ? value
    : resolvePath(value, options);
const watched: Resolve = (value, options) => {
  if (typeof value !== "string") return value;
  const path = resolvePath(value, options);
  return isAbsolute(path) ? (options.fs.realpath(path) ?? path) : path;
};

const mount: Resolve = (value, options) => {
  if (!isMap(value) || value["type"] !== "bind") return value;
  const source = value["source"];
  if (source === undefined) {
    throw new TscError("TSC_COMPOSE_INVALID", `invalid mount config for type "bind": field Source must not be empty`, {
      kind: "invalid-input",
    });
  }
  // an empty source (an unset variable) is the project folder, as in the reference
  value["source"] = source === "" ? options.base : resolvePath(scalarText(source), options);
  return value;
};

const localVolume: Resolve = (value, options) => {
  if (!isMap(value) || (value["driver"] !== undefined && value["driver"] !== "local")) return value;
  const driverOptions = value["driver_opts"];
  if (!isMap(driverOptions) || driverOptions["o"] !== "bind" || typeof driverOptions["device"] !== "string")
    return value;
  if (value["driver"] !== "local") return value;
  // an empty device (an unset variable) is the project folder, as in the reference
  driverOptions["device"] =
    driverOptions["device"] === "" ? options.base : resolvePath(driverOptions["device"], options);
  return value;
};

const RESOLVERS: PathTable<Resolve> = pathTable<Resolve>([
  ["services.*.build.context", buildContext],
  ["services.*.build.additional_contexts.*", buildContext],
  ["services.*.build.ssh.*", plain],
  ["services.*.env_file[].path", plain],
  ["services.*.label_file[]", plain],
  ["services.*.extends.file", extended],
  ["services.*.develop.watch[].path", watched],
  ["services.*.volumes[]", mount],
  ["configs.*.file", plain],
  ["secrets.*.file", plain],
  ["volumes.*", localVolume],
]);

/** Resolves in place. */
export function resolvePaths(tree: TreeMap, options: PathOptions): TreeMap {
  walkTable(tree, RESOLVERS, (value, resolve) => resolve(value, options));
  return tree;
}
