/**
 * The loader: discovery, then the phases in order, then the typed project. The only place that knows the whole
 * pipeline. Does no I/O but through the ports of its options.
 */
import { resolve } from "node:path";
import { TscError } from "../lib/errors.js";
import { labelsOfFiles, serviceEnvironment } from "./env/env-file.js";
import { substitute } from "./env/template.js";
import type {
  EnvFile,
  FileObject,
  LoadWarning,
  ModelConfig,
  NetworkConfig,
  Position,
  Project,
  Service,
  StringMap,
  VolumeConfig,
} from "./model.js";
import { nodeFs } from "./node-fs.js";
import type { LoadOptions } from "./options.js";
import { bindMap } from "./phases/bind.js";
import { assertInside } from "./phases/confine.js";
import { checkConsistency, checkContainerNames, type Report } from "./phases/consistency.js";
import type { Discovered } from "./phases/discover.js";
import { discover } from "./phases/discover.js";
import { loadFile } from "./phases/load-file.js";
import type { LoadState } from "./phases/load-state.js";
import { loadTree } from "./phases/load-tree.js";
import { normalize, RESOLVED_CONTENT } from "./phases/normalize.js";
import { withOriginals } from "./phases/originals.js";
import { checkProjectName, normalizeProjectName, projectNameOfFolder } from "./phases/project-name.js";
import { enableServices, pruneResources, selectServices, withProfiles } from "./phases/select.js";
import { Problems, placeOf } from "./problems.js";
import { FILE_OBJECT, MODEL, NETWORK, SERVICE, VOLUME_CONFIG } from "./structs.js";
import type { TreeMap } from "./tree.js";
import { isMap, scalarText } from "./tree.js";
import type { YamlFile } from "./yaml/parse.js";
import { parseYaml } from "./yaml/parse.js";

/** A loaded but untyped model: what `config --no-interpolate` prints. */
export interface LoadedModel {
  readonly tree: TreeMap;
  readonly name: string;
  readonly workingDir: string;
  readonly configFiles: readonly string[];
  readonly envFiles: readonly string[];
  readonly environment: StringMap;
  readonly profiles: readonly string[];
  readonly warnings: readonly LoadWarning[];
  readonly files: readonly YamlFile[];
  /** Tells a warning once, and keeps it in `warnings`. */
  readonly warn: (warning: LoadWarning) => void;
}

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
  const name = projectName(found, options, texts, parsed);
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

/** A model that is not normalised keeps the name as its files spell it; what was asked for wins even then. */
function nameTree(tree: TreeMap, name: string, found: Discovered, options: LoadOptions): void {
  if (options.noNormalize !== true || askedName(found, options) !== "") tree["name"] = name;
  else if (options.noInterpolate !== true) tree["name"] ??= name;
}

function askedName(found: Discovered, options: LoadOptions): string {
  return options.projectName ?? found.environment["COMPOSE_PROJECT_NAME"] ?? "";
}

/** `-p`, COMPOSE_PROJECT_NAME, the last top-level `name:`, the folder. */
function projectName(
  found: Discovered,
  options: LoadOptions,
  texts: Map<string, string>,
  parsed: Map<string, YamlFile>,
): string {
  const given = askedName(found, options);
  if (given !== "") {
    checkProjectName(given);
    return given;
  }
  let name: string | undefined;
  for (const file of found.files) {
    const fs = options.fs ?? nodeFs;
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

/** Moves the resolved values of `environment` to where the model has them; drops them for an untyped model. */
function settleContent(tree: TreeMap, keep: boolean): void {
  for (const section of ["secrets", "configs"]) {
    const objects = tree[section];
    if (!isMap(objects)) continue;
    for (const key in objects) {
      const object = objects[key];
      const content = isMap(object) ? object[RESOLVED_CONTENT] : undefined;
      if (!isMap(object) || content === undefined) continue;
      delete object[RESOLVED_CONTENT];
      if (keep) object["content"] = content;
    }
  }
}

/** A named volume's `:Z` leaves a null `create_host_path`, which only the binding to types understands. */
function dropNulls(tree: TreeMap): void {
  const services = tree["services"];
  for (const service of isMap(services) ? Object.values(services) : []) {
    const volumes = isMap(service) ? service["volumes"] : undefined;
    for (const volume of Array.isArray(volumes) ? volumes : []) {
      const bind = isMap(volume) ? volume["bind"] : undefined;
      if (isMap(bind) && bind["create_host_path"] === null) delete bind["create_host_path"];
    }
  }
}

/** The reference's schema has the key, its model has not. */
function tellDropped({ tree, warn }: LoadedModel): void {
  const services = tree["services"];
  for (const name of isMap(services) ? Object.keys(services) : []) {
    const service = isMap(services) ? services[name] : undefined;
    if (!isMap(service) || !("pull_refresh_after" in service)) continue;
    warn({
      code: "TSC_COMPOSE_NO_EFFECT",
      message: `service ${JSON.stringify(name)}: pull_refresh_after has no effect: write pull_policy: every_<duration>`,
      path: ["services", name, "pull_refresh_after"],
    });
  }
}

function finish(model: LoadedModel, options: LoadOptions): Project {
  const { tree, files, environment } = model;
  tellDropped(model);
  const extensions: Record<`x-${string}`, unknown> = {};
  for (const key in tree) if (key.startsWith("x-")) extensions[key as `x-${string}`] = tree[key];
  // bindMap's result has the shape of the tables in structs.ts, which mirror the model's types
  const section = <T>(name: string, struct: Parameters<typeof bindMap>[1]): Readonly<Record<string, T>> =>
    bindMap(tree[name], struct, [name], { files, warn: model.warn }) as unknown as Readonly<Record<string, T>>;
  let project: Project = {
    name: scalarText(tree["name"] ?? null),
    services: section<Service>("services", SERVICE),
    networks: section<NetworkConfig>("networks", NETWORK),
    volumes: section<VolumeConfig>("volumes", VOLUME_CONFIG),
    secrets: section<FileObject>("secrets", FILE_OBJECT),
    configs: section<FileObject>("configs", FILE_OBJECT),
    models: section<ModelConfig>("models", MODEL),
    ...extensions,
    workingDir: model.workingDir,
    configFiles: model.configFiles,
    envFiles: model.envFiles,
    environment,
    profiles: model.profiles,
    disabledServices: {},
    warnings: model.warnings,
    locate: (path): Position | undefined => {
      const place = placeOf(files, path);
      return place === undefined ? undefined : { ...place, text: place.text ?? "" };
    },
  };
  project = withProfiles(project, options.allProfiles === true ? ["*"] : model.profiles);
  project = enableServices(project, options.services ?? []);
  const problems = new Problems(files);
  const report: Report = (message, path, hint) => problems.add("TSC_COMPOSE_INCONSISTENT", message, path, { hint });
  if (options.noConsistency !== true) checkConsistency(project, report);
  problems.throw();
  project = selectServices(project, options.services ?? [], options.noDependencies !== true);
  if (options.noConsistency !== true && options.sharedNames !== true) checkContainerNames(project, report);
  problems.throw();
  project = resolveEnvFiles(project, options, problems);
  return options.allResources === true ? project : pruneResources(project);
}

/** The service with the fields of the model where the reference prints them, extensions last. */
function inFieldOrder(service: Service): Service {
  const given: Readonly<Record<string, unknown>> = { ...service };
  const known = SERVICE.map(({ name }) => name).filter((name) => given[name] !== undefined);
  const rest = Object.keys(given).filter((name) => name.startsWith("x-"));
  return Object.fromEntries([...known, ...rest].map((name) => [name, given[name]])) as unknown as Service;
}

/** `env_file` and `label_file` contents under what is written inline, for the active services. */
function resolveEnvFiles(project: Project, options: LoadOptions, problems: Problems): Project {
  const fs = options.fs ?? nodeFs;
  const warn = options.warn ?? ((): void => undefined);
  const services = Object.create(null) as Record<string, Service>;
  for (const [name, service] of Object.entries(project.services)) {
    const key = service.env_file === undefined ? "label_file" : "env_file";
    services[name] = problems.guard(["services", name, key], () => resolveService(service)) ?? service;
  }
  problems.throw();
  return { ...project, services };

  function resolveService(service: Service): Service {
    if (service.env_file === undefined && service.label_file === undefined) return service;
    const { env_file, label_file, environment, labels, ...rest } = service;
    // paths are still relative when their resolution is switched off
    const inProject = (path: string): string => (path === "" ? "" : resolve(project.workingDir, path));
    const absolute = (file: EnvFile): EnvFile => ({ ...file, path: inProject(file.path) });
    const keepFiles = options.noEnvResolution === true && env_file !== undefined;
    const merged =
      env_file === undefined || keepFiles
        ? environment
        : serviceEnvironment(environment ?? {}, env_file.map(absolute), project.environment, fs, warn);
    const mergedLabels =
      label_file === undefined
        ? labels
        : { ...Object.fromEntries(labelsOfFiles(label_file.map(inProject), fs, warn)), ...labels };
    return inFieldOrder({
      ...rest,
      ...(keepFiles ? { env_file } : {}),
      ...(merged === undefined || Object.keys(merged).length === 0 ? {} : { environment: merged }),
      ...(mergedLabels === undefined ? {} : { labels: mergedLabels }),
    });
  }
}
