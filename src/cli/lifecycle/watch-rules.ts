/** The develop.watch triggers of a project as rules that answer for a path. Reads .dockerignore files; watches nothing. */
import { realpathSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { Hook, Project, Service, WatchTrigger } from "../../compose/model.js";
import { type IgnoreMatcher, parseIgnore } from "../../engine/builder/dockerignore.js";
import { TscError } from "../../lib/errors.js";
import { PatternError } from "../../lib/glob.js";
import { readRegularFile } from "../../lib/read-file.js";

/** One trigger of one service, with all that it leaves out: by its own keys, .dockerignore, bind mounts, and what editors make. */
export interface Rule {
  readonly service: string;
  readonly action: WatchTrigger["action"];
  /** Host path that is watched. */
  readonly path: string;
  /** Where it lies in the container; empty for rebuild and restart. */
  readonly target: string;
  readonly exec: Hook | undefined;
  readonly initialSync: boolean;
  /** True for what the first sync leaves out: what describes the build and the project is no part of the program. */
  ignoresAtFirst(path: string): boolean;
  /** True for a path whose change means nothing. */
  ignores(path: string): boolean;
  /** True when nothing at or under the path matters: it is not even watched. */
  ignoresTree(path: string): boolean;
}

/** As for a build. */
const MAX_IGNORE_BYTES = 1 << 20;

/** What editors leave behind while they save, and version control. */
const EPHEMERAL = [
  "**/.git",
  "**/*~",
  "**/.*.sw?",
  "**/.*.swx",
  "**/4913",
  "**/.#*",
  "**/#*#",
  "**/.DS_Store",
  "**/.idea",
];

/** Rules of the services (all when none is named); warnings for triggers that cannot work. */
export function rulesOf(
  project: Project,
  services: readonly string[],
): { readonly rules: readonly Rule[]; readonly warnings: readonly string[] } {
  const rules: Rule[] = [];
  const warnings: string[] = [];
  for (const service of Object.keys(project.services).sort()) {
    const config = project.services[service];
    if (config === undefined || (services.length > 0 && !services.includes(service))) continue;
    for (const trigger of config.develop?.watch ?? []) {
      if (trigger.action === "rebuild" && config.build === undefined) {
        warnings.push(`service "${service}": develop.watch: can't rebuild ${trigger.path} without a build section`);
        continue;
      }
      if (isPlainSync(trigger) && isMounted(trigger.path, config)) {
        warnings.push(`path '${trigger.path}' also declared by a bind mount volume, this path won't be monitored!`);
        continue;
      }
      if (trigger["x-initialSync"] === true) {
        warnings.push("x-initialSync is DEPRECATED, please use the official `initial_sync` attribute");
      }
      rules.push(ruleOf(service, config, trigger, project.configFiles));
    }
  }
  return { rules, warnings };
}

/** The container has such files from the host already; a copy of them would go back there. */
function isPlainSync({ action }: WatchTrigger): boolean {
  return action === "sync" || action === "sync+restart";
}

function isMounted(path: string, config: Service): boolean {
  return (config.volumes ?? []).some(({ type, source = "" }) => type === "bind" && inner(source, path) !== undefined);
}

function ruleOf(service: string, config: Service, trigger: WatchTrigger, configFiles: readonly string[]): Rule {
  const context = config.build?.context;
  const ignoreFiles = context === undefined ? [] : ignoreFilesOf(context, config);
  const dockerignore = context === undefined ? undefined : contextIgnore(context, ignoreFiles);
  const described = new Set([
    ...configFiles,
    ...ignoreFiles,
    ...(context === undefined ? [] : [dockerfileOf(context, config)]),
  ]);
  const parse = (key: string, patterns: readonly string[]): IgnoreMatcher =>
    matcherOf(patterns.join("\n"), `service "${service}": develop.watch of ${trigger.path}: ${key}`);
  const own = parse("ignore", [...EPHEMERAL, ...(trigger.ignore ?? [])]);
  const include =
    trigger.include === undefined || trigger.include.length === 0 ? undefined : parse("include", trigger.include);
  const excluded = (path: string, test: (matcher: IgnoreMatcher, inside: string) => boolean): boolean => {
    const inside = inner(trigger.path, path);
    if (inside !== undefined && inside !== "" && test(own, inside)) return true;
    if (isPlainSync(trigger) && isMounted(path, config)) return true;
    const inContext = inner(context ?? "", path);
    return dockerignore !== undefined && inContext !== undefined && inContext !== "" && test(dockerignore, inContext);
  };
  return {
    service,
    action: trigger.action,
    path: trigger.path,
    target: trigger.target ?? "",
    exec: trigger.exec,
    initialSync:
      (trigger.initial_sync === true || trigger["x-initialSync"] === true) && trigger.action.startsWith("sync"),
    ignoresAtFirst(path) {
      return described.has(path) || this.ignores(path);
    },
    ignores(path) {
      const inside = inner(trigger.path, path);
      if (inside === undefined) return true;
      if (include !== undefined && inside !== "" && !include.excludes(inside)) return true;
      return excluded(path, (matcher, name) => matcher.excludes(name));
    },
    ignoresTree(path) {
      return excluded(path, (matcher, name) => matcher.excludes(name) && !matcher.mayHoldExceptions(name));
    },
  };
}

/** The path relative to a folder with `/`, or undefined when it lies outside. */
function inner(folder: string, path: string): string | undefined {
  if (folder === "") return undefined;
  const inside = relative(folder, path);
  if (inside === ".." || inside.startsWith(`..${sep}`)) return undefined;
  return inside.split(sep).join("/");
}

function dockerfileOf(context: string, config: Service): string {
  return resolve(context, config.build?.dockerfile ?? "Dockerfile");
}

/** `<Dockerfile>.dockerignore` beside the Dockerfile goes before the context's own. */
function ignoreFilesOf(context: string, config: Service): readonly string[] {
  return [`${dockerfileOf(context, config)}.dockerignore`, resolve(context, ".dockerignore")];
}

function contextIgnore(context: string, files: readonly string[]): IgnoreMatcher | undefined {
  for (const path of files) {
    // a build does not follow links out of the context either
    if (path === files.at(-1) && !staysInside(context, path)) continue;
    const text = readRegularFile(path, MAX_IGNORE_BYTES);
    if (text === undefined) continue;
    if (text.length > MAX_IGNORE_BYTES) {
      throw new TscError("TSC_WATCH_PATTERN", `${path} is larger than 1 MiB`, { kind: "invalid-input" });
    }
    return matcherOf(text.toString("utf8"), path);
  }
  return undefined;
}

function staysInside(folder: string, path: string): boolean {
  try {
    return inner(realpathSync(folder), realpathSync(path)) !== undefined;
  } catch {
    return false;
  }
}

function matcherOf(text: string, what: string): IgnoreMatcher {
  try {
    return parseIgnore(text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new TscError("TSC_WATCH_PATTERN", `${what}: ${error.message}`, { kind: "invalid-input" });
  }
}
