/**
 * One file through its phases: parse → interpolate → include → reset → extends → merge → unicity → schema →
 * canonical → unicity. Works on and returns the accumulated tree.
 */
import { basename } from "node:path";
import { TscError, throwAll } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { placeOf, problem } from "../problems.js";
import type { Path, TreeMap } from "../tree.js";
import { cloneTree, isMap, newMap, scalarText } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";
import { parseYaml } from "../yaml/parse.js";
import { canonicalize } from "./canonical.js";
import { assertInside, confineTree } from "./confine.js";
import { applyExtends } from "./extends.js";
import { applyIncludes } from "./include.js";
import { interpolate } from "./interpolate.js";
import type { FilePhases, LoadState, SourceFile } from "./load-state.js";
import { mergeTrees } from "./merge.js";
import { removePath } from "./remove-path.js";
import { EntryError, enforceUnicity } from "./unicity.js";

/** Reads and parses a file; throws TSC_COMPOSE_FILE_NOT_FOUND. */
function readYaml(file: SourceFile, state: LoadState): YamlFile {
  if (file.root !== undefined) assertInside(file.path, file.root, state.fs, "a file");
  const parsed = state.parsed.get(file.path) ?? parseYaml(file.text ?? readText(file, state), file.path);
  // the phases change its trees: it serves once
  state.parsed.delete(file.path);
  state.files.push(parsed);
  return parsed;
}

function readText({ path, namedAt }: SourceFile, state: LoadState): string {
  const known = state.texts.get(path);
  if (known !== undefined) return known;
  const text = state.fs.readFile(path, "yaml");
  if (text === undefined) {
    const where = namedAt === undefined ? undefined : placeOf(state.files, namedAt);
    throw new TscError("TSC_COMPOSE_FILE_NOT_FOUND", `open ${path}: no such file or directory`, {
      kind: "not-found",
      ...given({ where }),
      hint: `check the path of the compose file ${basename(path)}`,
    });
  }
  state.texts.set(path, text);
  return text;
}

/** Loads a file onto `tree`; returns the merged tree and the paths it resets. */
export async function loadFile(
  file: SourceFile,
  onto: TreeMap,
  around: LoadState,
  phases: FilePhases = {},
): Promise<{ readonly tree: TreeMap; readonly resets: readonly Path[] }> {
  const state: LoadState = { ...around, root: file.root };
  const yaml = readYaml(file, state);
  const resets: Path[] = [];
  let tree = onto;
  for (const document of yaml.documents) {
    if (document.tree === null) {
      if (yaml.documents.length === 1) continue;
      throw problem([yaml], "TSC_COMPOSE_EMPTY", `failed to parse ${file.path}: empty compose file`, [], {
        hint: "a document between two `---` lines is empty: remove one of them",
      });
    }
    if (!isMap(document.tree)) {
      const where = yaml.locate([])?.place;
      throw new TscError(
        "TSC_COMPOSE_TOP_LEVEL",
        `failed to parse ${file.path}: top-level object must be a mapping, not ${Array.isArray(document.tree) ? "a list" : `\`${scalarText(document.tree)}\``}`,
        { kind: "invalid-input", ...given({ where }) },
      );
    }
    const own = document.tree;
    if (state.interpolate) {
      try {
        interpolate(own, { lookup: (name) => state.environment[name], warn: state.warn, files: [yaml] });
      } catch (error) {
        throw await withMisspelt(error, own, yaml);
      }
    }
    if (state.interpolate) fixEmpty(own);
    if (phases.skipInclude !== true) await applyIncludes(own, file.path, state, document.resets);
    else delete own["include"];
    for (const path of document.resets) removePath(tree, path);
    resets.push(...document.resets);
    if (phases.skipExtends !== true) await applyExtends(own, file.path, state, document.resets);
    if (file.root !== undefined && phases.skipExtends !== true) confineFile(own, file.root, state);
    tree = enforceUnicityAt(mergeTrees(tree, own), state);
    if (state.validate && phases.skipValidation !== true) {
      const { validateSchema } = await import("./schema.js");
      validateSchema(tree, file.path, state.files);
    }
    if ("version" in tree) {
      // a file that only lends a service is not told how to be written
      if (phases.skipValidation !== true)
        state.warn({
          code: "TSC_COMPOSE_VERSION_OBSOLETE",
          message: `${file.path}: the attribute \`version\` is obsolete, it will be ignored, please remove it to avoid potential confusion`,
          path: ["version"],
        });
      delete tree["version"];
    }
    tree = canonicalize(tree, { lenient: !state.interpolate, warn: state.warn, files: state.files });
    tree = enforceUnicityAt(tree, state);
  }
  return { tree, resets };
}

/** A look at what the file alone says, in the form that every attribute has only once. */
function confineFile(own: TreeMap, root: string, state: LoadState): void {
  const canonical = canonicalize(cloneTree(own) as TreeMap, {
    lenient: !state.interpolate,
    warn: () => undefined,
    files: state.files,
  });
  confineTree(canonical, { root, base: state.workingDir, home: state.home, fs: state.fs });
}

/** The failed interpolation and, so that one run tells all, the keys of the file that nothing knows. */
async function withMisspelt(error: unknown, tree: TreeMap, yaml: YamlFile): Promise<unknown> {
  const { validateSchema } = await import("./schema.js");
  try {
    validateSchema(tree, yaml.name, [yaml], { onlyUnknownKeys: true });
  } catch (unknownKeys) {
    try {
      throwAll([...errorsOf(error), ...errorsOf(unknownKeys)]);
    } catch (all) {
      return all;
    }
  }
  return error;
}

function errorsOf(error: unknown): readonly TscError[] {
  const list: readonly unknown[] =
    typeof error === "object" && error !== null && "errors" in error && Array.isArray(error.errors)
      ? error.errors
      : [error];
  return list.filter((one) => one instanceof TscError);
}

function enforceUnicityAt(tree: TreeMap, state: LoadState): TreeMap {
  try {
    return enforceUnicity(tree);
  } catch (error) {
    if (!(error instanceof EntryError)) throw error;
    throw problem(state.files, error.code, error.message, error.path, { hint: error.hint });
  }
}

/** Empty volumes (`data:`) are volumes with defaults. */
function fixEmpty(tree: TreeMap): void {
  const volumes = tree["volumes"];
  if (!isMap(volumes)) return;
  for (const key in volumes) volumes[key] ??= newMap();
}
