/**
 * The options of the commands that change a project, docker compose's names, shorthands and defaults, with
 * podman-compose's own where they mean something here. Data only: the commands import their table.
 */
import type { OptionSpec } from "../command.js";

const timeout: OptionSpec = {
  long: "timeout",
  short: "t",
  value: "int",
  help: "Shutdown timeout in seconds; the service's grace period when absent",
};
const removeOrphans: OptionSpec = {
  long: "remove-orphans",
  help: "Remove containers for services not defined in the compose file",
};
const oldYes: OptionSpec = { long: "y", hidden: true, help: "Deprecated name of --yes" };
const yes: OptionSpec = { long: "yes", short: "y", help: 'Assume "yes" as answer to all prompts' };
const scale: OptionSpec = {
  long: "scale",
  value: "list",
  placeholder: "SERVICE=NUM",
  complete: "service-scale",
  help: "Number of containers of a service; overrides the `scale` setting",
};
const build: OptionSpec = { long: "build", help: "Build images before starting containers" };
const noBuild: OptionSpec = { long: "no-build", help: "Don't build an image, even if it's policy" };
const forceRecreate: OptionSpec = {
  long: "force-recreate",
  help: "Recreate containers even if their configuration and image haven't changed",
};
const noRecreate: OptionSpec = {
  long: "no-recreate",
  help: "Keep existing containers as they are; incompatible with --force-recreate",
};
const quietPull: OptionSpec = { long: "quiet-pull", help: "Pull without printing progress information" };
const noDeps: OptionSpec = { long: "no-deps", help: "Don't start linked services" };

/** Of `up`; podman-compose's own stand at the end and are not shown. */
export const upOptions: readonly OptionSpec[] = [
  { long: "abort-on-container-exit", help: "Stop all containers if any container stopped; incompatible with -d" },
  {
    long: "abort-on-container-failure",
    help: "Stop all containers if any container exited with failure; incompatible with -d",
  },
  {
    long: "always-recreate-deps",
    help: "Recreate dependent containers; incompatible with --no-recreate",
  },
  { long: "attach", value: "list", complete: "service", help: "Restrict attaching to the specified services" },
  { long: "attach-dependencies", help: "Attach to log output of dependent services" },
  build,
  { long: "detach", short: "d", help: "Run containers in the background" },
  {
    long: "exit-code-from",
    value: "string",
    complete: "service",
    help: "Return the exit code of this service's container; implies --abort-on-container-exit",
  },
  forceRecreate,
  { long: "menu", help: "Enable interactive shortcuts when running attached" },
  { long: "no-attach", value: "list", complete: "service", help: "Do not attach to the specified services" },
  noBuild,
  { long: "no-color", help: "Produce monochrome output" },
  noDeps,
  { long: "no-log-prefix", help: "Don't print prefix in logs" },
  noRecreate,
  { long: "no-start", help: "Don't start the services after creating them" },
  {
    long: "pull",
    value: "string",
    default: "policy",
    placeholder: "always|missing|never|newer|build|policy",
    help: "Pull image before running",
  },
  { long: "quiet-build", help: "Suppress the build output" },
  quietPull,
  removeOrphans,
  {
    long: "renew-anon-volumes",
    short: "V",
    help: "Make new anonymous volumes instead of taking over those of the previous containers",
  },
  scale,
  {
    long: "timeout",
    short: "t",
    value: "int",
    help: "Seconds for container shutdown when attached or when containers are already running",
  },
  { long: "timestamps", help: "Show timestamps" },
  { long: "wait", help: "Wait for services to be running or healthy; implies detached mode" },
  { long: "wait-timeout", value: "int", help: "Seconds to wait for the project to be running or healthy" },
  { long: "watch", short: "w", help: "Watch source code and rebuild/refresh containers when files are updated" },
  yes,
  oldYes,
  { long: "no-hosts", hidden: true, help: "Make no /etc/hosts in the containers (podman-compose)" },
  { long: "pull-always", hidden: true, help: "Same as --pull always (podman-compose)" },
  { long: "build-arg", value: "list", hidden: true, help: "Set build-time variables (podman-compose)" },
  { long: "no-cache", hidden: true, help: "Build without the cache (podman-compose)" },
];

/** Of `down`; named volumes and images stay unless `--volumes` and `--rmi` say otherwise. */
export const downOptions: readonly OptionSpec[] = [
  removeOrphans,
  {
    long: "rmi",
    value: "string",
    placeholder: "local|all",
    choices: ["local", "all"],
    help: 'Remove images used by services; "local" only those without a custom tag',
  },
  timeout,
  {
    long: "volumes",
    short: "v",
    help: 'Remove named volumes declared in the "volumes" section and anonymous volumes of containers',
  },
];

/** Of `create`: those of `up` that decide how containers are made. */
export const createOptions: readonly OptionSpec[] = [
  { ...build, help: "Build images before creating containers" },
  forceRecreate,
  noBuild,
  noRecreate,
  {
    long: "pull",
    value: "string",
    default: "policy",
    placeholder: "always|missing|never|build|policy",
    help: "Pull image before creating",
  },
  quietPull,
  removeOrphans,
  scale,
  yes,
  oldYes,
];

/** Of `start`; `--wait-timeout` counts with `--wait` only. */
export const startOptions: readonly OptionSpec[] = [
  { long: "wait", help: "Wait for services to be running or healthy" },
  { long: "wait-timeout", value: "int", help: "Seconds to wait for the project to be running or healthy" },
];
/** Of `stop`; without `--timeout` the grace period of each service counts. */
export const stopOptions: readonly OptionSpec[] = [timeout];
/** Of `restart`; services that depend with `restart: true` follow, unless `--no-deps`. */
export const restartOptions: readonly OptionSpec[] = [
  { long: "no-deps", help: "Don't restart dependent services" },
  timeout,
];
/** Of `kill`; `--remove-orphans` takes orphans away once the signal is sent. */
export const killOptions: readonly OptionSpec[] = [
  removeOrphans,
  {
    long: "signal",
    short: "s",
    value: "string",
    default: "SIGKILL",
    complete: "signal",
    help: "SIGNAL to send to the container",
  },
  { long: "all", short: "a", hidden: true, help: "Kill all services, which is the default (podman-compose)" },
];
/** Of `rm`, which leaves what runs alone unless `--stop`, and asks unless `--force`. */
export const rmOptions: readonly OptionSpec[] = [
  { long: "all", short: "a", hidden: true, help: "Deprecated, no effect" },
  { long: "force", short: "f", help: "Don't ask to confirm removal" },
  { long: "stop", short: "s", help: "Stop the containers, if required, before removing" },
  { long: "volumes", short: "v", help: "Remove any anonymous volumes attached to containers" },
];
/** Of `pause`: as in docker compose, none. */
export const pauseOptions: readonly OptionSpec[] = [];
/** Of `unpause`: as in docker compose, none. */
export const unpauseOptions: readonly OptionSpec[] = [];
/** Of `scale`, whose numbers are its arguments. */
export const scaleOptions: readonly OptionSpec[] = [noDeps];
/** Of `wait`; with `--down-project` the first container that stops ends it, and the project is taken down. */
export const waitOptions: readonly OptionSpec[] = [
  { long: "down-project", help: "Drops project when the first container stops" },
];

/** Of `run`: what its one container has other than the service, how it is attached, and how images come. */
export const runOptions: readonly OptionSpec[] = [
  { long: "build", help: "Build image before starting container" },
  { long: "cap-add", value: "list", help: "Add Linux capabilities" },
  { long: "cap-drop", value: "list", help: "Drop Linux capabilities" },
  { long: "detach", short: "d", help: "Run container in background and print container ID" },
  { long: "entrypoint", value: "string", help: "Override the entrypoint of the image" },
  { long: "env", short: "e", value: "list", help: "Set environment variables" },
  { long: "env-from-file", value: "list", complete: "file", help: "Set environment variables from file" },
  { long: "interactive", short: "i", default: true, help: "Keep STDIN open even if not attached" },
  { long: "label", synonyms: ["labels"], short: "l", value: "list", help: "Add or override a label" },
  { long: "name", value: "string", help: "Assign a name to the container" },
  noDeps,
  { long: "no-tty", short: "T", help: "Disable pseudo-TTY allocation (default: auto-detected)" },
  { long: "publish", short: "p", value: "list", help: "Publish a container's port(s) to the host" },
  {
    long: "pull",
    value: "string",
    default: "policy",
    placeholder: "always|missing|never|policy",
    help: "Pull image before running",
  },
  { long: "quiet", short: "q", help: "Don't print anything to STDOUT" },
  { long: "quiet-build", help: "Suppress progress output from the build process" },
  quietPull,
  removeOrphans,
  { long: "rm", help: "Automatically remove the container when it exits" },
  {
    long: "service-ports",
    short: "P",
    help: "Run command with all service's ports enabled and mapped to the host",
  },
  { long: "tty", short: "t", hidden: true, default: true, help: "Allocate a pseudo-TTY" },
  { long: "use-aliases", help: "Use the service's network aliases in the network(s) the container connects to" },
  { long: "user", short: "u", value: "string", help: "Run as specified username or uid" },
  { long: "volume", synonyms: ["volumes"], short: "v", value: "list", help: "Bind mount a volume" },
  { long: "workdir", short: "w", value: "string", help: "Working directory inside the container" },
];

/** Of every command that builds by itself. */
export const allowOption: OptionSpec = {
  long: "allow",
  value: "csv",
  placeholder: "network.host|security.insecure",
  help: "Let RUN steps use the host's network, or run with every capability",
};

/** Of `build`; `--builder`, `--memory`, `--provenance` and `--sbom` are taken with a warning that they have no effect. */
export const buildOptions: readonly OptionSpec[] = [
  allowOption,
  { long: "build-arg", value: "list", placeholder: "KEY=VALUE", help: "Set build-time variables for services" },
  { long: "builder", value: "string", help: "Set builder to use" },
  { long: "check", help: "Check build configuration" },
  { long: "compress", hidden: true, help: "Compress the build context using gzip. DEPRECATED" },
  { long: "force-rm", hidden: true, help: "Always remove intermediate containers. DEPRECATED" },
  { long: "memory", short: "m", value: "string", help: "Set memory limit for the build container" },
  { long: "no-cache", help: "Do not use cache when building the image" },
  { long: "no-rm", hidden: true, help: "Do not remove intermediate containers. DEPRECATED" },
  { long: "parallel", default: true, hidden: true, help: "Build images in parallel. DEPRECATED" },
  { long: "print", help: "Print equivalent bake file" },
  { long: "progress", value: "string", hidden: true, help: "Set type of ui output" },
  { long: "provenance", value: "string", help: "Add a provenance attestation" },
  { long: "pull", help: "Always attempt to pull a newer version of the image" },
  { long: "pull-always", hidden: true, help: "Same as --pull (podman-compose)" },
  { long: "push", help: "Push service images" },
  { long: "quiet", short: "q", help: "Suppress the build output" },
  { long: "sbom", value: "string", help: "Add a SBOM attestation" },
  { long: "ssh", value: "string", help: "Set SSH authentications used when building service images" },
  { long: "with-dependencies", help: "Also build dependencies (transitively)" },
];

/** Of `pull`; the hidden ones change nothing. */
export const pullOptions: readonly OptionSpec[] = [
  { long: "ignore-buildable", help: "Ignore images that can be built" },
  { long: "ignore-pull-failures", help: "Pull what it can and ignores images with pull failures" },
  { long: "include-deps", help: "Also pull services declared as dependencies" },
  { long: "no-parallel", hidden: true, help: "DEPRECATED disable parallel pulling" },
  { long: "parallel", default: true, hidden: true, help: "DEPRECATED pull multiple images in parallel" },
  {
    long: "policy",
    value: "string",
    placeholder: "missing|always",
    choices: ["missing", "always"],
    help: "Apply pull policy",
  },
  { long: "quiet", short: "q", help: "Pull without printing progress information" },
  { long: "force-local", hidden: true, help: "Also pull unprefixed images for services which have a build section" },
];
/** Of `push`; services that are named bring those that they depend on with `--include-deps` only. */
export const pushOptions: readonly OptionSpec[] = [
  { long: "ignore-push-failures", help: "Push what it can and ignores images with push failures" },
  { long: "include-deps", help: "Also push images of services declared as dependencies" },
  { long: "quiet", short: "q", help: "Push without printing progress information" },
];
/** Of `watch`; `--prune=false` keeps images that a rebuild leaves without a name. */
export const watchOptions: readonly OptionSpec[] = [
  { long: "no-up", help: "Do not build & start services before watching" },
  { long: "prune", default: true, help: "Prune dangling images on rebuild" },
  { long: "quiet", help: "Hide build output" },
];
