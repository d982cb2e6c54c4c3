/** Finds what a project is made of: its files, folder, `.env` files and environment, from flags and COMPOSE_* variables. */
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { TscError } from "../../lib/errors.js";
import { readEnvFiles } from "../env/env-file.js";
import type { LoadWarning, StringMap } from "../model.js";
import type { ComposeFs, LoadOptions } from "../options.js";
import { assertInside, rooted } from "./confine.js";
import type { SourceFile } from "./load-state.js";
import { expandHome } from "./paths.js";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"] as const;
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
] as const;

/** The inputs of a project before anything is parsed. */
export interface Discovered {
  readonly files: readonly SourceFile[];
  /** As shown to people and in labels: absolute, `-` for standard input. */
  readonly configFiles: readonly string[];
  readonly workingDir: string;
  readonly envFiles: readonly string[];
  /** Process environment over `.env` files. */
  readonly environment: StringMap;
  readonly profiles: readonly string[];
}

/** Throws TSC_COMPOSE_FILE_NOT_FOUND when there is no compose file, TSC_COMPOSE_ENV_FILE for a missing `--env-file`. */
export async function discover(
  options: LoadOptions,
  fs: ComposeFs,
  warn: (warning: LoadWarning) => void,
): Promise<Discovered> {
  const home = options.env["HOME"];
  const given = options.projectDirectory ?? "";
  const projectDirectory = given === "" ? undefined : resolve(options.cwd, expandHome(given, home));
  let environment = cleanEnvironment(options.env);
  const explicit = options.files ?? [];
  const firstLocal = explicit.find((file) => file !== "-" && !isRemote(file, options));

  // .env of the project folder: that of the first file, or the current one before discovery
  const early =
    projectDirectory ?? (firstLocal === undefined ? options.cwd : dirname(resolve(options.cwd, firstLocal)));
  const envFiles = envFilesFor(early, environment, options, fs);
  environment = withFiles(environment, envFiles, fs, warn);

  const fromVariable = explicit.length > 0 ? undefined : environment["COMPOSE_FILE"];
  const separator = environment["COMPOSE_PATH_SEPARATOR"] || ":";
  const base = projectDirectory ?? options.cwd;
  const listed =
    explicit.length > 0 ? explicit : fromVariable ? fromVariable.split(separator) : discoverFiles(base, fs, warn);
  const files: SourceFile[] = [];
  for (const file of listed)
    files.push(
      await sourceFile(
        file,
        explicit.length > 0 || projectDirectory === undefined ? options.cwd : base,
        options,
        fs,
        home,
      ),
    );

  const main = files.find((file) => file.path !== "-");
  const workingDir = projectDirectory ?? (main === undefined ? options.cwd : dirname(main.path));
  if (workingDir !== early) {
    const late = envFilesFor(workingDir, environment, options, fs).filter((file) => !envFiles.includes(file));
    const root = projectDirectory === undefined ? main?.root : undefined;
    // a repository's own .env counts, one that links out of it does not
    for (const file of late) {
      if (root !== undefined && dirname(file) === workingDir) assertInside(file, root, fs, ".env");
    }
    environment = withFiles(environment, late, fs, warn);
    envFiles.push(...late);
  }
  return {
    files,
    configFiles: files.map((file) => file.path),
    workingDir,
    envFiles,
    environment,
    profiles: profilesOf(options, environment),
  };
}

function isRemote(reference: string, options: LoadOptions): boolean {
  return options.remotes?.some((remote) => remote.accepts(reference)) ?? false;
}

function profilesOf(options: LoadOptions, environment: StringMap): string[] {
  const given = options.profiles ?? [];
  const variable = environment["COMPOSE_PROFILES"] ?? "";
  return [
    ...given,
    ...(given.length === 0
      ? variable
          .split(",")
          .map((profile) => profile.trim())
          .filter((profile) => profile !== "")
      : []),
  ];
}

function cleanEnvironment(env: LoadOptions["env"]): Record<string, string> {
  const result = Object.create(null) as Record<string, string>;
  for (const key in env) {
    const value = env[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}

function envFilesFor(folder: string, environment: StringMap, options: LoadOptions, fs: ComposeFs): string[] {
  const listed = options.envFiles ?? [];
  const fromVariable = (environment["COMPOSE_ENV_FILES"] ?? "").split(",").filter((file) => file !== "");
  const chosen = listed.length > 0 ? listed : fromVariable;
  if (chosen.length > 0) return chosen.map((file) => resolve(options.cwd, file));
  if (/^(?:1|t|true)$/i.test(environment["COMPOSE_DISABLE_ENV_FILE"] ?? "")) return [];
  const own = join(folder, ".env");
  return fs.exists(own) && !fs.isDirectory(own) ? [own] : [];
}

function withFiles(
  environment: Record<string, string>,
  files: readonly string[],
  fs: ComposeFs,
  warn: (warning: LoadWarning) => void,
): Record<string, string> {
  if (files.length === 0) return environment;
  const found = readEnvFiles(files, environment, fs, warn);
  const result = Object.create(null) as Record<string, string>;
  for (const [key, value] of found) result[key] = value;
  return Object.assign(result, environment);
}

async function sourceFile(
  file: string,
  base: string,
  options: LoadOptions,
  fs: ComposeFs,
  home: string | undefined,
): Promise<SourceFile> {
  if (file === "-") return { path: "-", text: fs.readStdin() };
  const remote = options.remotes?.find((loader) => loader.accepts(file));
  if (remote !== undefined) return rooted(await remote.load(file));
  const path = isAbsolute(file) ? file : resolve(base, expandHome(file, home));
  if (!fs.isDirectory(path)) return { path };
  const inside = NAMES.map((name) => join(path, name)).find((candidate) => fs.exists(candidate));
  if (inside === undefined) throw notFound(`no compose file in ${path}`);
  return { path: inside };
}

function discoverFiles(from: string, fs: ComposeFs, warn: (warning: LoadWarning) => void): string[] {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = present(folder, NAMES, fs, warn);
    if (found !== undefined) {
      const override = present(folder, OVERRIDES, fs, warn);
      return override === undefined ? [found] : [found, override];
    }
    if (dirname(folder) === folder) throw notFound("no configuration file provided: not found");
  }
}

function present(
  folder: string,
  names: readonly string[],
  fs: ComposeFs,
  warn: (warning: LoadWarning) => void,
): string | undefined {
  const found = names.map((name) => join(folder, name)).filter((path) => fs.exists(path));
  const first = found[0];
  if (found.length > 1 && first !== undefined) {
    warn({
      code: "TSC_COMPOSE_SEVERAL_FILES",
      message: `Found multiple ${names === OVERRIDES ? "override" : "config"} files with supported names: ${found.join(", ")}`,
    });
    warn({ code: "TSC_COMPOSE_SEVERAL_FILES", message: `Using ${first}` });
  }
  return first;
}

function notFound(message: string): TscError {
  return new TscError("TSC_COMPOSE_FILE_NOT_FOUND", message, {
    kind: "not-found",
    hint: `name one with -f, or make a ${basename(NAMES[0])} here`,
  });
}
