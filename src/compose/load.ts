/**
 * The loader: discovery, then the phases in order, then the typed project. The only place that knows the whole
 * pipeline. Does no I/O but through the ports of its options.
 */
import { TscError } from "../lib/errors.js";
import type { LoadWarning, Project, StringMap } from "./model.js";
import { nodeFs } from "./node-fs.js";
import type { LoadOptions } from "./options.js";
import { bindProject } from "./phases/bind-project.js";
import { checkConsistency, checkContainerNames, type Report } from "./phases/consistency.js";
import { discover } from "./phases/discover.js";
import { resolveEnvFiles } from "./phases/env-files.js";
import { loadFile } from "./phases/load-file.js";
import type { LoadState } from "./phases/load-state.js";
import { loadTree } from "./phases/load-tree.js";
import type { LoadedModel } from "./phases/loaded-model.js";
import { dropNulls, normalize, settleContent } from "./phases/normalize.js";
import { withOriginals } from "./phases/originals.js";
import { nameTree, projectName } from "./phases/project-name.js";
import { enableServices, pruneResources, selectServices, withProfiles } from "./phases/select.js";
import { Problems } from "./problems.js";
import type { YamlFile } from "./yaml/parse.js";

/**
 * Loads a project. Errors are TscErrors with a place where there is one; a list holds every problem of a phase.
 * Codes begin with TSC_COMPOSE_.
 */
export async function loadProject(given: LoadOptions): Promise<Project> {
  const options = withOriginals(given, given.fs ?? nodeFs);
  const model = await loadModel(options);
  return finish(model, options);
}

/** The phases up to the normalized tree, before it is bound to types. */
export async function loadModel(given: LoadOptions): Promise<LoadedModel> {
  const options = withOriginals(given, given.fs ?? nodeFs);
  const { fs } = options;
  const warnings: LoadWarning[] = [];
  const seen = new Set<string>();
  const warn = (warning: LoadWarning): void => {
    if (seen.has(warning.message)) return;
    seen.add(warning.message);
    warnings.push(warning);
    options.warn?.(warning);
  };
  const found = await discover(options, fs, warn);
  const texts = new Map<string, string>();
  const parsed = new Map<string, YamlFile>();
  const name = projectName({ found, options, fs, texts, parsed });
  const environment = Object.assign(Object.create(null) as Record<string, string>, found.environment);
  if (name !== "") environment["COMPOSE_PROJECT_NAME"] = name;
  // an untyped model keeps what it says: nothing of the environment enters it
  const visible = options.noInterpolate === true ? (Object.create(null) as StringMap) : environment;
  const state: LoadState = {
    environment: visible,
    workingDir: found.workingDir,
    home: options.env["HOME"],
    fs,
    remotes: options.remotes ?? [],
    warn,
    interpolate: options.noInterpolate !== true,
    validate: true,
    projectName: name,
    files: [],
    texts,
    parsed,
    included: [],
    loadFile,
    loadTree,
  };
  const tree = await loadTree(found.files, state, { resolvePaths: options.noPathResolution !== true });
  if (Object.keys(tree).length === 0)
    throw new TscError("TSC_COMPOSE_EMPTY", `empty compose file ${found.configFiles.join(", ")}`, {
      kind: "invalid-input",
      hint: "it needs at least `services:` with one service below",
    });
  if (name === "") {
    throw new TscError("TSC_COMPOSE_PROJECT_NAME", "project name must not be empty", {
      kind: "invalid-input",
      hint: "choose one with -p",
    });
  }
  nameTree(tree, name, found, options);
  if (options.noNormalize !== true) normalize(tree, visible);
  settleContent(tree, options.noInterpolate !== true);
  if (options.noInterpolate === true) dropNulls(tree);
  const { workingDir, configFiles, envFiles, profiles } = found;
  return { tree, name, workingDir, configFiles, envFiles, environment, profiles, warnings, files: state.files, warn };
}

function finish(model: LoadedModel, options: LoadOptions): Project {
  const problems = new Problems(model.files);
  const report: Report = (message, path, hint) => problems.add("TSC_COMPOSE_INCONSISTENT", message, path, { hint });
  const names = options.services ?? [];
  let project = bindProject(model);
  project = withProfiles(project, options.allProfiles === true ? ["*"] : model.profiles);
  project = enableServices(project, names);
  if (options.noConsistency !== true) checkConsistency(project, report);
  problems.throw();
  project = selectServices(project, names, options.noDependencies !== true);
  if (options.noConsistency !== true && options.sharedNames !== true) checkContainerNames(project, report);
  problems.throw();
  const fs = options.fs ?? nodeFs;
  const warn = options.warn ?? ((): void => undefined);
  project = resolveEnvFiles(project, { fs, warn, keepFiles: options.noEnvResolution === true }, problems);
  return options.allResources === true ? project : pruneResources(project);
}
