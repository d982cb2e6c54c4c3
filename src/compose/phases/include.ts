/** `include`: loads other projects whole, with their own folder and environment, and imports their resources. */

import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { TscError } from "../../lib/errors.js";
import { readEnvFiles } from "../env/env-file.js";
import type { StringMap } from "../model.js";
import { problem } from "../problems.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { isMap, newMap, scalarText } from "../tree.js";
import { assertInside, rooted } from "./confine.js";
import type { LoadState } from "./load-state.js";
import { mergeTrees } from "./merge.js";
import { expandHome } from "./paths.js";
import { removePath } from "./remove-path.js";

interface Entry {
  readonly paths: readonly string[];
  readonly projectDirectory: string | undefined;
  readonly envFiles: readonly string[];
}

/** Files of one project. Files that include two others each double with every level, whatever the cycle check says. */
const MAX_FILES = 1000;
const SECTIONS = ["services", "volumes", "networks", "secrets", "configs", "models"] as const;

/** Imports the includes of a tree in place and removes the key; `resets` are removed from what is imported. */
export async function applyIncludes(
  tree: TreeMap,
  file: string,
  state: LoadState,
  resets: readonly Path[],
): Promise<void> {
  const include = tree["include"];
  delete tree["include"];
  if (include === undefined || include === null) return;
  if (!Array.isArray(include))
    throw problem(state.files, "TSC_COMPOSE_SCHEMA", `validating ${file}: include must be a array`, ["include"]);
  for (let i = 0; i < include.length; i++) {
    const entry = readEntry(include[i] as Tree, (message) =>
      problem(state.files, "TSC_COMPOSE_SCHEMA", `validating ${file}: include.${i} ${message}`, ["include", i]),
    );
    if (entry.paths.length === 0) {
      state.warn({
        code: "TSC_COMPOSE_NO_EFFECT",
        message: `include[${i}] has no effect: it names no path`,
        path: ["include", i],
      });
      continue;
    }
    if (state.files.length >= MAX_FILES) {
      throw problem(state.files, "TSC_COMPOSE_INCLUDE", `more than ${MAX_FILES} files are included`, ["include", i]);
    }
    const imported = await loadEntry(entry, ["include", i], file, state);
    for (const path of resets) removePath(imported, path);
    importTree(tree, imported, (section, name) =>
      state.warn({
        code: "TSC_COMPOSE_INCLUDE_CONFLICT",
        message: `${section}.${name} conflicts with imported resource: what ${file} says is merged onto what ${entry.paths.join(", ")} says`,
        path: [section, name],
      }),
    );
  }
}

function readEntry(value: Tree, invalid: (message: string) => TscError): Entry {
  const text = (item: Tree): string => {
    if (typeof item === "object" && item !== null) throw invalid("must be a string or a mapping with path");
    return scalarText(item);
  };
  const texts = (item: Tree | undefined): string[] =>
    item === undefined || item === null ? [] : Array.isArray(item) ? item.map(text) : [text(item)];
  if (Array.isArray(value)) throw invalid("must be a string or a mapping with path");
  if (!isMap(value)) return { paths: texts(value), projectDirectory: undefined, envFiles: [] };
  const directory = value["project_directory"];
  return {
    paths: texts(value["path"]),
    projectDirectory: directory === undefined || directory === null || directory === "" ? undefined : text(directory),
    envFiles: texts(value["env_file"]),
  };
}

async function loadEntry(entry: Entry, at: Path, file: string, state: LoadState): Promise<TreeMap> {
  const paths: { path: string; root: string | undefined }[] = [];
  let anyRemote = false;
  for (const path of entry.paths) {
    const remote = state.remotes.find((loader) => loader.accepts(path));
    anyRemote ||= remote !== undefined;
    paths.push(
      remote === undefined
        ? { path: resolve(state.workingDir, expandHome(path, state.home)), root: state.root }
        : rooted(await remote.load(path)),
    );
  }
  const main = paths[0]?.path ?? "";
  const chain = state.included.length === 0 ? [file] : state.included;
  if (chain.includes(main)) {
    const message = `include cycle detected:\n${chain[0]}\n include ${[...chain.slice(1), main].join("\n include ")}`;
    throw problem(state.files, "TSC_COMPOSE_INCLUDE_CYCLE", message, at);
  }
  const folder =
    entry.projectDirectory === undefined
      ? dirname(main)
      : resolve(state.workingDir, expandHome(entry.projectDirectory, state.home));
  const environment = includeEnvironment(entry, folder, state, paths[0]?.root);
  const nested: LoadState = { ...state, workingDir: folder, environment, included: [...chain, main] };
  const base = anyRemote ? folder : relativeBase(state.workingDir, folder, entry);
  return await state.loadTree(
    paths.map(({ path, root }) => ({ path, root, namedAt: at })),
    nested,
    { resolvePaths: true, base },
  );
}

/** Paths stay relative to the including project so that `--no-path-resolution` prints them so. */
function relativeBase(workingDir: string, folder: string, entry: Entry): string {
  const given = entry.projectDirectory ?? entry.paths[0] ?? "";
  return isAbsolute(given) || given.startsWith("~") ? folder : relative(workingDir, folder);
}

function includeEnvironment(entry: Entry, folder: string, state: LoadState, root: string | undefined): StringMap {
  const files: string[] = [];
  if (entry.envFiles.length === 0) {
    const own = join(folder, ".env");
    if (state.fs.exists(own) && !state.fs.isDirectory(own)) files.push(own);
    if (files.length > 0 && root !== undefined) assertInside(own, root, state.fs, "include: .env");
  }
  for (const given of entry.envFiles) {
    if (given === "/dev/null") continue;
    const path = resolve(state.workingDir, expandHome(given, state.home));
    if (state.root !== undefined) assertInside(path, state.root, state.fs, "include.env_file");
    if (state.fs.isDirectory(path))
      throw new TscError("TSC_COMPOSE_ENV_FILE", `${path} is not a file`, { kind: "invalid-input" });
    files.push(path);
  }
  const fromFiles = readEnvFiles(files, state.environment, state.fs, state.warn);
  return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(fromFiles), state.environment);
}

/** What is written locally wins over what is imported under the same name. */
function importTree(
  tree: TreeMap,
  imported: TreeMap,
  conflict: (section: (typeof SECTIONS)[number], name: string) => void,
): void {
  for (const section of SECTIONS) {
    const from = imported[section];
    if (!isMap(from)) continue;
    const own = isMap(tree[section]) ? tree[section] : newMap();
    for (const key in from) {
      const resource = from[key] as Tree;
      if (!(key in own)) own[key] = resource;
      else if (!isDeepStrictEqual(own[key], resource)) {
        conflict(section, key);
        const merged = mergeTrees(wrap(section, key, resource), wrap(section, key, own[key] as Tree));
        own[key] = (merged[section] as TreeMap)[key] as Tree;
      }
    }
    tree[section] = own;
  }
}

function wrap(section: string, key: string, value: Tree): TreeMap {
  const inner = newMap();
  inner[key] = value;
  const outer = newMap();
  outer[section] = inner;
  return outer;
}
