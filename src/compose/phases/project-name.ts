/** The name of a project: where it comes from, and its rules. */
import { basename, resolve } from "node:path";
import { TscError } from "../../lib/errors.js";
import { substitute } from "../env/template.js";
import type { StringMap } from "../model.js";
import type { ComposeFs, LoadOptions } from "../options.js";
import type { TreeMap } from "../tree.js";
import { isMap } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";
import { parseYaml } from "../yaml/parse.js";
import { assertInside } from "./confine.js";
import type { Discovered } from "./discover.js";

/** A name made from any text: lowercase, only `[a-z0-9_-]`, no leading `_` or `-`. May be empty. */
function normalizeProjectName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}

/** The name a folder gives its project. */
function projectNameOfFolder(folder: string): string {
  return normalizeProjectName(basename(folder));
}

/** Throws TSC_COMPOSE_PROJECT_NAME unless the name is already in normal form. */
function checkProjectName(name: string): void {
  if (name !== "" && normalizeProjectName(name) === name) return;
  throw new TscError(
    "TSC_COMPOSE_PROJECT_NAME",
    `invalid project name ${JSON.stringify(name)}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    {
      kind: "invalid-input",
      hint: normalizeProjectName(name) === "" ? "choose a name with -p" : `for instance ${normalizeProjectName(name)}`,
    },
  );
}

/** What finding the name needs to know; what it reads on the way is kept for the phases behind it. */
export interface NameRequest {
  readonly found: Discovered;
  readonly options: LoadOptions;
  readonly fs: ComposeFs;
  readonly texts: Map<string, string>;
  readonly parsed: Map<string, YamlFile>;
}

/** `-p`, COMPOSE_PROJECT_NAME, the last top-level `name:`, the folder; "" when none gives a name. Throws TSC_COMPOSE_PROJECT_NAME. */
export function projectName({ found, options, fs, texts, parsed }: NameRequest): string {
  const given = askedName(found, options);
  if (given !== "") {
    checkProjectName(given);
    return given;
  }
  let name: string | undefined;
  for (const file of found.files) {
    if (file.root !== undefined) assertInside(file.path, file.root, fs, "a file");
    const text = file.text ?? fs.readFile(file.path, "yaml");
    if (text === undefined) continue;
    texts.set(file.path, text);
    const yaml = parseYaml(text, file.path);
    if (!parsed.has(file.path)) parsed.set(file.path, yaml);
    name = topLevelName(yaml, options.noInterpolate === true ? undefined : found.environment) ?? name;
  }
  // a name in a file is made valid, one that was asked for must be
  return name === undefined ? projectNameOfFolder(resolve(found.workingDir)) : normalizeProjectName(name);
}

/** The `name:` of a file's last document that has one, interpolated when there is an environment. */
function topLevelName(yaml: YamlFile, environment: StringMap | undefined): string | undefined {
  let name: string | undefined;
  for (const { tree } of yaml.documents) {
    const own = isMap(tree) ? tree["name"] : undefined;
    if (typeof own === "string" && own !== "") name = own;
  }
  return name === undefined || environment === undefined ? name : substitute(name, (variable) => environment[variable]);
}

function askedName(found: Discovered, options: LoadOptions): string {
  return options.projectName ?? found.environment["COMPOSE_PROJECT_NAME"] ?? "";
}

/** Names the tree. A model that is not normalised keeps the name as its files spell it; what was asked for wins even then. */
export function nameTree(tree: TreeMap, name: string, found: Discovered, options: LoadOptions): void {
  if (options.noNormalize !== true || askedName(found, options) !== "") tree["name"] = name;
  else if (options.noInterpolate !== true) tree["name"] ??= name;
}
