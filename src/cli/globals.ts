/** The options before the command and the environment variables that stand in for them. */
import type { TscError } from "../lib/errors.js";
import type { OptionSpec, ParsedOptions } from "./command.js";
import type { AnsiMode, GlobalOptions, ProgressMode } from "./context.js";
import { usage } from "./usage.js";

/** How podman-compose is told to make no pod. */
const NO_POD = new Set(["false", "0", "no"]);
const NO_DAEMON = "Not used: there is no daemon to connect to (docker)";

/** docker's own options, which `docker-compose` takes before the command as well. */
const DOCKER_GLOBALS: readonly OptionSpec[] = [
  { long: "config", value: "string", hidden: true, help: "Location of docker's client config files (docker)" },
  { long: "context", short: "c", value: "string", hidden: true, help: NO_DAEMON },
  { long: "debug", short: "D", hidden: true, help: "Same as --verbose (docker)" },
  { long: "host", short: "H", value: "list", hidden: true, help: NO_DAEMON },
  {
    long: "log-level",
    short: "l",
    value: "string",
    choices: ["debug", "info", "warn", "error", "fatal"],
    hidden: true,
    help: "debug is the same as --verbose (docker)",
  },
  { long: "tls", hidden: true, help: NO_DAEMON },
  { long: "tlscacert", value: "string", hidden: true, help: NO_DAEMON },
  { long: "tlscert", value: "string", hidden: true, help: NO_DAEMON },
  { long: "tlskey", value: "string", hidden: true, help: NO_DAEMON },
  { long: "tlsverify", hidden: true, help: NO_DAEMON },
];

/** Declared options; the podman-compose ones at the end are accepted so that old scripts keep working. */
export const globalOptionSpecs: readonly OptionSpec[] = [
  { long: "all-resources", help: "Include all resources, even those not used by services" },
  {
    long: "ansi",
    value: "string",
    default: "auto",
    choices: ["never", "always", "auto"],
    placeholder: "never|always|auto",
    help: "Control when to print ANSI control characters",
  },
  { long: "compatibility", help: "Run compose in backward compatibility mode" },
  { long: "dry-run", help: "Print what would be done, and why, without doing it" },
  { long: "env-file", value: "list", complete: "file", help: "Specify an alternate environment file" },
  { long: "file", short: "f", value: "list", complete: "file", help: "Compose configuration files" },
  {
    long: "insecure-registry",
    value: "list",
    hidden: true,
    help: "Use insecure registry to pull compose OCI artifacts",
  },
  { long: "no-ansi", hidden: true, help: "Do not print ANSI control characters (deprecated)" },
  { long: "parallel", value: "int", default: -1, help: "Control max parallelism, -1 for unlimited" },
  { long: "profile", value: "list", complete: "profile", help: "Specify a profile to enable" },
  {
    long: "progress",
    value: "string",
    choices: ["auto", "tty", "plain", "json", "quiet", "none"],
    placeholder: "auto|tty|plain|json|quiet",
    help: "Set type of progress output",
  },
  {
    long: "project-directory",
    value: "string",
    complete: "directory",
    help: "Specify an alternate working directory (default: the path of the first Compose file)",
  },
  { long: "project-name", short: "p", value: "string", complete: "project", help: "Project name" },
  { long: "verbose", hidden: true, help: "Show more output, stack traces included" },
  { long: "version", short: "v", help: "Show the version information" },
  { long: "workdir", value: "string", hidden: true, help: "Deprecated name of --project-directory" },
  {
    long: "in-pod",
    value: "string",
    hidden: true,
    help: "Not used: there are no pods (podman-compose)",
  },
  ...DOCKER_GLOBALS,
  { long: "shim", hidden: true, help: "Called as docker-compose: the version is the one it stands for" },
  ...["pod-args", "podman-path", "podman-args", "podman-pull-args", "podman-push-args", "podman-build-args"].map(
    ignored,
  ),
  ...["podman-inspect-args", "podman-run-args", "podman-start-args", "podman-stop-args"].map(ignored),
  ...["podman-rm-args", "podman-volume-args"].map(ignored),
  { long: "no-cleanup", hidden: true, help: "Accepted for podman-compose's sake" },
];

/** Global options that may also follow the command, as in docker compose. */
export const persistentOptionSpecs: readonly OptionSpec[] = globalOptionSpecs.filter(({ long }) =>
  ["dry-run", "verbose"].includes(long),
);

function ignored(long: string): OptionSpec {
  return { long, value: "list", hidden: true, help: "Not used: there is no podman here (podman-compose)" };
}

/** Options merged with the environment (COMPOSE_ANSI, COMPOSE_PROGRESS, COMPOSE_PARALLEL_LIMIT …). `TSC_USAGE` for a bad value. */
export function readGlobals(
  options: ParsedOptions,
  env: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
): GlobalOptions {
  for (const { long } of globalOptionSpecs) {
    if (long.startsWith("podman-") || long === "pod-args") {
      if (options.given(long)) warn(`--${long} has no effect: containers are run by the built-in engine`);
    }
  }
  const pod = options.text("in-pod") ?? "";
  if (pod !== "" && !NO_POD.has(pod.toLowerCase())) warn("--in-pod has no effect: there are no pods");
  for (const { long, help } of DOCKER_GLOBALS) {
    if (help === NO_DAEMON && options.given(long))
      warn(`--${long} has no effect: there is no daemon, the engine is built in`);
  }
  const noAnsi = options.flag("no-ansi");
  if (noAnsi) {
    if (options.given("ansi") && options.text("ansi") !== "auto") {
      throw usage('cannot specify DEPRECATED "--no-ansi" and "--ansi". Please use only "--ansi"');
    }
    warn("option '--no-ansi' is DEPRECATED ! Please use '--ansi' instead.");
  }
  if (options.given("workdir")) {
    if (options.given("project-directory")) {
      throw usage(
        'cannot specify DEPRECATED "--workdir" and "--project-directory". Please use only "--project-directory" instead',
      );
    }
    warn("option '--workdir' is DEPRECATED at root level! Please use '--project-directory' instead.");
  }
  const directory = options.text("project-directory") ?? options.text("workdir");
  const ansi = noAnsi ? "never" : ansiMode(options, env);
  const progress = progressMode(options, env);
  if (progress === "tty" && ansi === "never") throw usage("can't use --progress tty while ANSI support is disabled");
  if (progress === "plain" && ansi === "always") throw usage("can't use --progress plain while ANSI support is forced");
  return {
    files: options.list("file"),
    projectName: options.text("project-name"),
    projectDirectory: directory === "" ? undefined : directory,
    profiles: options.list("profile"),
    envFiles: options.list("env-file"),
    allResources: options.flag("all-resources"),
    compatibility: options.given("compatibility")
      ? options.flag("compatibility")
      : isTrue(env["COMPOSE_COMPATIBILITY"]),
    dryRun: options.flag("dry-run"),
    ansi,
    progress,
    parallel: parallelLimit(options, env),
    verbose: options.flag("verbose") || options.flag("debug") || options.text("log-level") === "debug",
    shim: options.flag("shim"),
  };
}

/** docker compose's words for true, in environment variables and answers. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && ["1", "t", "true", "yes", "y"].includes(text.toLowerCase());
}

function ansiMode(options: ParsedOptions, env: Readonly<Record<string, string | undefined>>): AnsiMode {
  const chosen = options.given("ansi") ? options.text("ansi") : env["COMPOSE_ANSI"];
  if (chosen === undefined || chosen === "") return "auto";
  if (chosen === "auto" || chosen === "never" || chosen === "always") return chosen;
  throw bad("COMPOSE_ANSI", chosen, "never, always or auto");
}

function progressMode(options: ParsedOptions, env: Readonly<Record<string, string | undefined>>): ProgressMode {
  const chosen = options.text("progress") ?? env["COMPOSE_PROGRESS"];
  if (chosen === undefined || chosen === "") return "auto";
  if (chosen === "none") return "quiet";
  if (chosen === "auto" || chosen === "tty" || chosen === "plain" || chosen === "json" || chosen === "quiet")
    return chosen;
  throw bad("COMPOSE_PROGRESS", chosen, "auto, tty, plain, json or quiet");
}

function parallelLimit(options: ParsedOptions, env: Readonly<Record<string, string | undefined>>): number {
  const text = env["COMPOSE_PARALLEL_LIMIT"];
  if (options.given("parallel") || text === undefined || text === "") return limited(options.number("parallel") ?? -1);
  if (!/^-?\d{1,6}$/.test(text)) throw bad("COMPOSE_PARALLEL_LIMIT", text, "a whole number");
  return limited(Number(text));
}

function limited(value: number): number {
  return value <= 0 ? -1 : value;
}

function bad(name: string, value: string, expected: string): TscError {
  return usage(`invalid value "${value}" for ${name}: expected ${expected}`);
}
