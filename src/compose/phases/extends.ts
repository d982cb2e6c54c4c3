/** `extends`: merges each service onto the one it extends, across files, chains followed, cycles reported as a path. */
import { dirname, isAbsolute, relative, resolve } from "node:path";
import type { TscError } from "../../lib/errors.js";
import { nearest } from "../../lib/nearest.js";
import { problem } from "../problems.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { cloneTree, isMap, newMap, scalarText } from "../tree.js";
import { confineTree, rooted } from "./confine.js";
import type { LoadState } from "./load-state.js";
import { mergeService } from "./merge.js";
import { expandHome, resolvePaths } from "./paths.js";
import { removePath } from "./remove-path.js";

/** Services that may extend one another in a row; real files have a handful. */
const MAX_CHAIN = 500;

/** A service on the way from the outermost `extends` inwards. */
interface Step {
  readonly file: string;
  readonly service: string;
}
interface Loaded {
  readonly services: TreeMap;
  readonly resets: readonly Path[];
  /** Of a remote file: the folder it came with, which nothing that its services extend may leave either. */
  readonly root: string | undefined;
}

/** Resolves every `extends` of a tree in place. `resets` are those of the file itself. */
export async function applyExtends(
  tree: TreeMap,
  file: string,
  state: LoadState,
  resets: readonly Path[],
): Promise<void> {
  const services = tree["services"];
  if (!isMap(services)) return;
  const cache = new Map<string, Loaded>();
  for (const name in services) {
    const service = services[name];
    if (isMap(service) && "extends" in service) await extend(name, { file, services, resets }, [], state, cache);
  }
}

/** A file whose services are at hand, with the resets that it says. */
interface Place {
  readonly file: string;
  readonly services: TreeMap;
  readonly resets: readonly Path[];
}

async function extend(
  name: string,
  place: Place,
  steps: readonly Step[],
  state: LoadState,
  cache: Map<string, Loaded>,
): Promise<TreeMap | null> {
  const { file, services, resets } = place;
  const service = services[name];
  if (service === null || service === undefined) return null;
  if (!isMap(service))
    throw problem(state.files, "TSC_COMPOSE_SCHEMA", `services.${name} must be a mapping`, ["services", name]);
  const { ref, from } = reference(service["extends"], name, state);
  if (ref === undefined) return service;
  const chain = [...steps, { file, service: name }];
  if (chain.length > MAX_CHAIN) {
    throw problem(state.files, "TSC_COMPOSE_EXTENDS", `more than ${MAX_CHAIN} services extend one another in a row`, [
      "services",
      name,
      "extends",
    ]);
  }
  if (steps.some((step) => step.file === file && step.service === name)) throw cycle(chain, state, name);

  let base: TreeMap | null;
  if (from === undefined) {
    if (!(ref in services)) {
      throw missing(
        state,
        name,
        `cannot extend service ${JSON.stringify(name)} in ${file}: service ${JSON.stringify(ref)} not found`,
        Object.keys(services),
        ref,
      );
    }
    base = await extend(ref, place, chain, state, cache);
  } else {
    const { path, loaded } = await baseFile(name, ref, file, from, state, cache);
    base = await extend(ref, { ...loaded, file: path }, chain, { ...state, root: loaded.root }, cache);
  }
  // an empty base (`base:`) gives nothing; the reference then keeps the key
  if (base === null) return service;
  const source = cloneTree(base) as TreeMap;
  // a file's tags speak of what its own services extend; those of the other file were heard when its services were
  for (const path of resets) removePath({ services: Object.assign(newMap(), { [name]: source }) }, path);
  const merged = mergeService(source, service);
  delete merged["extends"];
  services[name] = merged;
  return merged;
}

function reference(
  value: Tree | undefined,
  name: string,
  state: LoadState,
): { ref: string | undefined; from: string | undefined } {
  if (value === undefined || value === null) return { ref: undefined, from: undefined };
  if (!isMap(value)) return { ref: scalarText(value), from: undefined };
  const ref = value["service"];
  if (typeof ref !== "string") {
    throw problem(state.files, "TSC_COMPOSE_EXTENDS", `extends.${name}.service is required`, [
      "services",
      name,
      "extends",
    ]);
  }
  const file = value["file"];
  return { ref, from: file === undefined || file === null ? undefined : scalarText(file) };
}

/** Loads the services of another file, its paths made relative to that file's folder. */
async function baseFile(
  name: string,
  ref: string,
  file: string,
  from: string,
  state: LoadState,
  cache: Map<string, Loaded>,
): Promise<{ path: string; loaded: Loaded }> {
  const remote = state.remotes.find((loader) => loader.accepts(from));
  const { path, root } =
    remote === undefined
      ? { path: resolve(state.workingDir, expandHome(from, state.home)), root: state.root }
      : rooted(await remote.load(from));
  const key = `${root ?? ""}\0${path}`;
  let loaded = cache.get(key);
  if (loaded === undefined) {
    const folder = dirname(path);
    const base = remote === undefined && !isAbsolute(from) ? relative(state.workingDir, folder) : folder;
    const { tree, resets } = await state.loadFile(
      { path, root, namedAt: ["services", name, "extends"] },
      newMap(),
      state,
      {
        skipExtends: true,
        skipInclude: true,
        skipValidation: true,
      },
    );
    if (!isMap(tree["services"])) {
      throw problem(
        state.files.slice(0, -1),
        "TSC_COMPOSE_EXTENDS",
        `cannot extend service ${JSON.stringify(name)} in ${from}: no services section`,
        ["services", name, "extends"],
      );
    }
    resolvePaths(tree, { base, home: state.home, fs: state.fs, remotes: state.remotes });
    if (root !== undefined) confineTree(tree, { root, base: state.workingDir, home: state.home, fs: state.fs });
    loaded = { services: tree["services"], resets, root };
    cache.set(key, loaded);
  }
  if (!(ref in loaded.services)) {
    const message = `cannot extend service ${JSON.stringify(name)} in ${file}: service ${JSON.stringify(ref)} not found in ${from}`;
    throw missing(state, name, message, Object.keys(loaded.services), ref);
  }
  return { path, loaded };
}

function missing(state: LoadState, name: string, message: string, known: readonly string[], ref: string): TscError {
  const near = nearest(ref, known);
  return problem(state.files, "TSC_COMPOSE_EXTENDS", message, ["services", name, "extends"], {
    hint:
      near === undefined ? `known services: ${known.slice(0, 8).join(", ")}` : `did you mean ${JSON.stringify(near)}?`,
  });
}

function cycle(chain: readonly Step[], state: LoadState, name: string): TscError {
  const lines = chain.map((step, i) => `${i === 0 ? "  " : "  extends "}${step.service} in ${step.file}`);
  return problem(state.files, "TSC_COMPOSE_EXTENDS_CYCLE", `Circular reference:\n${lines.join("\n")}`, [
    "services",
    name,
    "extends",
  ]);
}
