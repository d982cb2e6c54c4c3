/** Reads `.env` and `env_file` files: which are required, in which order they win, which format they have. */
import { messageOf, TscError } from "../../lib/errors.js";
import type { EnvFile, Environment, LoadWarning, StringMap } from "../model.js";
import type { ComposeFs } from "../options.js";
import { parseDotenv } from "./dotenv.js";

/** Variables of project `.env` files; a later file wins, the environment wins inside `${}`. Missing files throw. */
export function readEnvFiles(
  paths: readonly string[],
  environment: StringMap,
  fs: ComposeFs,
  warn: (warning: LoadWarning) => void,
): Map<string, string> {
  let result = new Map<string, string>();
  for (const path of paths) {
    if (fs.isDirectory(path))
      throw new TscError("TSC_COMPOSE_ENV_FILE", `${path} is a directory`, { kind: "invalid-input" });
    const text = fs.readFile(path);
    if (text === undefined) {
      throw new TscError("TSC_COMPOSE_ENV_FILE", `couldn't find env file: ${path}`, {
        kind: "not-found",
        hint: "check --env-file or env_file",
      });
    }
    result = parse(text, path, (name) => environment[name], result, warn);
  }
  return result;
}

function parse(
  text: string,
  path: string,
  lookup: (name: string) => string | undefined,
  preset: ReadonlyMap<string, string>,
  warn: (warning: LoadWarning) => void,
): Map<string, string> {
  const onUnset = (name: string): void =>
    warn({
      code: "TSC_COMPOSE_VARIABLE_UNSET",
      message: `The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`,
    });
  try {
    return parseDotenv(text, lookup, { preset, onUnset });
  } catch (error) {
    throw new TscError("TSC_COMPOSE_DOTENV_INVALID", `failed to read ${path}: ${messageOf(error)}`, {
      kind: "invalid-input",
      cause: error,
    });
  }
}

/** A service's environment with its `env_file`s underneath. */
export function serviceEnvironment(
  own: Environment,
  files: readonly EnvFile[],
  project: StringMap,
  fs: ComposeFs,
  warn: (warning: LoadWarning) => void,
): Environment {
  let merged = new Map<string, string>();
  const lookup = (name: string): string | undefined => project[name] ?? own[name] ?? undefined;
  for (const [key, value] of Object.entries(own)) if (value !== null) merged.set(key, value);
  for (const file of files) {
    const text = readOptional(file, fs, "env file");
    if (text === undefined) continue;
    if (file.format === "raw") for (const [key, value] of parseRaw(text, file.path, lookup)) merged.set(key, value);
    else if (file.format !== undefined && file.format !== "") {
      throw new TscError("TSC_COMPOSE_ENV_FILE", `unsupported env_file format ${JSON.stringify(file.format)}`, {
        kind: "invalid-input",
        hint: "use raw, or leave format out",
      });
    } else merged = parse(text, file.path, lookup, merged, warn);
  }
  const result = Object.create(null) as Record<string, string | null>;
  for (const [key, value] of [...merged, ...Object.entries(own)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
    result[key] = value;
  return result;
}

/** The format of `docker run --env-file`: `KEY=value` lines taken as they are, bare keys inherited, comments skipped. */
function parseRaw(text: string, path: string, lookup: (name: string) => string | undefined): Map<string, string> {
  const result = new Map<string, string>();
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (const [i, whole] of lines.entries()) {
    const line = whole.trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const key = equals < 0 ? line : line.slice(0, equals);
    if (key === "" || /[ \t]/.test(key)) {
      const why = key === "" ? `no variable name on line '${line}'` : `variable '${key}' contains whitespaces`;
      throw new TscError("TSC_COMPOSE_DOTENV_INVALID", `failed to parse env_file ${path}: line ${i + 1}: ${why}`, {
        kind: "invalid-input",
        hint: "a raw file has KEY=value lines; leave `format: raw` out for quotes, blanks and variables",
      });
    }
    const value = equals < 0 ? lookup(key) : line.slice(equals + 1);
    if (value !== undefined) result.set(key, value);
  }
  return result;
}

/** Labels of a service's `label_file`s, later files winning; variables in them are labels read before, not the environment. */
export function labelsOfFiles(
  paths: readonly string[],
  fs: ComposeFs,
  warn: (warning: LoadWarning) => void,
): Map<string, string> {
  let labels = new Map<string, string>();
  for (const path of paths) {
    const text = readOptional({ path, required: true }, fs, "label file");
    if (text !== undefined) labels = parse(text, path, () => undefined, labels, warn);
  }
  return labels;
}

function readOptional(file: EnvFile, fs: ComposeFs, what: string): string | undefined {
  const text = fs.isDirectory(file.path) ? undefined : fs.readFile(file.path);
  if (text === undefined && file.required !== false) {
    throw new TscError(
      "TSC_COMPOSE_ENV_FILE",
      `${what} ${file.path} not found: stat ${file.path}: no such file or directory`,
      {
        kind: "not-found",
        hint: what === "env file" ? "write `required: false` beside its path when it may be missing" : undefined,
      } as { kind: "not-found"; hint: string },
    );
  }
  return text;
}
