/**
 * Services that an external program provides (`provider:`): `PROGRAM compose --project-name=P up|stop|down --OPTION=VALUE SERVICE`, after it was
 * asked for its metadata. It answers with one JSON object a line: `{"type": "info"|"error"|"debug"|"setenv"|"rawsetenv", "message": …}`.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { runProgram } from "../../lib/program.js";
import type { OperationOf } from "../../plan/plan.js";
import { cancelled, type ExecuteContext } from "../context.js";
import { LineSplitter } from "./hooks.js";
import { type ProviderMetadata, parseMetadata, providerOptions } from "./provider-metadata.js";

type Env = Readonly<Record<string, string | undefined>>;

const METADATA_LINES = 10_000;

const WORDS = {
  up: ["Creating", "Created", "create"],
  stop: ["Stopping", "Stopped", "stop"],
  down: ["Removing", "Removed", "remove"],
} as const;

/**
 * TSC_PROVIDER_NOT_FOUND, TSC_PROVIDER_PARAMETER, TSC_PROVIDER_FAILED with what the provider says. Variables go to the dependents' containers,
 * raw ones without the service's prefix.
 */
export async function runProvider(context: ExecuteContext, operation: OperationOf<"run-provider">): Promise<void> {
  const { service, provider, action } = operation;
  const program = findProvider(provider.type, context.callerEnv);
  const { env, withheld } = providerEnvironment(context);
  for (const name of withheld) {
    context.emit({
      type: "warning",
      message: `provider of service "${service}" does not get ${name} of the project's environment: it says which code programs load`,
    });
  }
  const options = providerOptions(await readMetadata(context, program, env), provider, action);
  if (options === undefined) return;
  const args = ["compose", `--project-name=${context.project}`, action, ...options, service];
  const [doing, done, verb] = WORDS[action];
  const tell = (status: "working" | "done" | "error", text: string): void =>
    context.emit({ type: "status", resource: "Service", name: service, status, text });
  tell("working", doing);
  const errors: string[] = [];
  const code = await run(context, program, env, args, (stream, line) => {
    if (stream === "stderr") return context.emit({ type: "output", of: "provider", name: service, stream, text: line });
    // what comes after an error is not read
    if (errors.length > 0) return;
    const { type, message } = parseMessage(line);
    if (type === "setenv" || type === "rawsetenv") {
      if (!message.includes("=")) errors.push(`invalid response from plugin: ${message}`);
      else if (action !== "stop") setVariable(context, operation, message, type === "rawsetenv");
    } else if (type === "error") errors.push(message);
    else if (type === "info") tell("working", message.split("\n", 1)[0] ?? "");
    else if (type !== "debug") errors.push(`invalid response from plugin: ${type}`);
  });
  if (code === 0 && errors.length === 0) {
    tell("done", done);
    return;
  }
  const why = errors[0] ?? `failed to ${verb} service provider: exit status ${code}`;
  tell("error", why.split("\n", 1)[0] ?? "");
  throw new TscError("TSC_PROVIDER_FAILED", printable(why, 2000), {
    hint: `said by provider ${provider.type} of service "${service}"`,
  });
}

/** One that does not answer says nothing. */
async function readMetadata(context: ExecuteContext, program: string, env: Env): Promise<ProviderMetadata> {
  const lines: string[] = [];
  const code = await run(context, program, env, ["compose", "metadata"], (stream, line) => {
    if (stream === "stdout" && lines.length < METADATA_LINES) lines.push(line);
  });
  return parseMetadata(code === 0 ? lines.join("\n") : "");
}

async function run(
  context: ExecuteContext,
  program: string,
  env: Env,
  args: readonly string[],
  onLine: (stream: "stdout" | "stderr", line: string) => void,
): Promise<number> {
  const lines = new LineSplitter((stream, text) => {
    if (text !== "") onLine(stream, text);
  });
  const { exitCode, errno, isCancelled } = await runProgram(program, args, {
    cwd: context.cwd,
    env,
    callerUmask: context.callerEnv,
    signal: context.signal,
    onOutput: (stream, data) => lines.push(stream, data),
  });
  if (isCancelled) throw cancelled();
  if (errno !== undefined) {
    throw new TscError("TSC_PROVIDER_FAILED", `provider program ${program} cannot be run: ${errno}`);
  }
  lines.end();
  return exitCode ?? 1;
}

/**
 * Variables by which the loader, shells, interpreters and libraries of plugins run further code, and those that say where such configuration
 * lies: a home of the project's own brings a `.gitconfig`, Python's user site and credential helpers.
 */
const STEERING = new RegExp(
  `^(?:${[
    "PATH|HOME|XDG_.*|LD_.*|GCONV_PATH|GLIBC_TUNABLES",
    "SHELL|IFS|PS4|SHELLOPTS|BASHOPTS|BASH_ENV|BASH_FUNC_.*|EDITOR|VISUAL|PAGER|BROWSER",
    "PYTHON.*|PERL.*|RUBY.*|GEM_.*|BUNDLE_.*|LUA_.*|PHPRC|PHP_INI_SCAN_DIR",
    "NODE_(?:OPTIONS|PATH|REPL_EXTERNAL_MODULE)|NPM_CONFIG_.*",
    "JAVA_HOME|CLASSPATH|(?:JAVA_TOOL|_JAVA|JDK_JAVA)_OPTIONS|DOTNET_(?:STARTUP_HOOKS|ROOT.*)|CORECLR_.*",
    "GIT_.*|SSH_.*|OPENSSL_.*|DOCKER_CONFIG|KUBECONFIG|AWS_(?:CONFIG|SHARED_CREDENTIALS)_FILE|CLOUDSDK_(?:CONFIG|PYTHON.*)",
  ].join("|")})$`,
  "i",
);

/**
 * What a provider gets: the project's environment, which its `.env` has a part in, but of variables that say which code programs load only the
 * caller's. `withheld` names those that differ. Pure.
 */
export function providerEnvironment({ env, callerEnv }: Pick<ExecuteContext, "env" | "callerEnv">): {
  readonly env: Env;
  readonly withheld: readonly string[];
} {
  const withheld = Object.keys(env).filter((name) => STEERING.test(name) && env[name] !== callerEnv[name]);
  return { env: { ...env, ...Object.fromEntries(withheld.map((name) => [name, callerEnv[name]])) }, withheld };
}

/**
 * The program of a provider type: `docker-TYPE` (a CLI plugin) on PATH, or TYPE itself when the caller lists it in TSCOMPOSE_PROVIDERS. A path, or
 * any other program of the host, is not what a compose file may run (`type: sh` would run the project's file `compose`). `TSC_PROVIDER_NOT_FOUND`.
 */
export function findProvider(type: string, env: Env): string {
  const isName = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(type);
  const isListed = (env["TSCOMPOSE_PROVIDERS"] ?? "").split(",").includes(type);
  const names = isName ? [`docker-${type}`, ...(isListed ? [type] : [])] : [];
  // A relative folder on PATH would be looked for in the project.
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  for (const path of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next place may have it.
    }
  }
  throw new TscError("TSC_PROVIDER_NOT_FOUND", `provider program docker-${type} was not found on PATH`, {
    kind: "not-found",
    hint: "install that plugin; another program that you trust as a provider is named by TSCOMPOSE_PROVIDERS=NAME,…",
  });
}

/** What is no message of the protocol is one of an unknown type. */
function parseMessage(line: string): { readonly type: string; readonly message: string } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("type" in value)) return { type: "", message: "" };
    return { type: String(value.type), message: "message" in value ? String(value.message) : "" };
  } catch {
    return { type: line, message: "" };
  }
}

function setVariable(
  context: ExecuteContext,
  operation: OperationOf<"run-provider">,
  text: string,
  raw: boolean,
): void {
  const at = text.indexOf("=");
  if (at <= 0) return;
  const key = text.slice(0, at);
  const prefix = operation.service.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  const name = raw ? key : `${prefix}_${key}`;
  for (const dependent of operation.dependents) {
    const env = context.providerEnv.get(dependent) ?? {};
    if (raw && operation.overridden?.[dependent]?.includes(key) === true) {
      context.emit({
        type: "warning",
        message: `provider of service "${operation.service}" overrides environment variable ${key} of service "${dependent}"`,
      });
    }
    env[name] = text.slice(at + 1);
    context.providerEnv.set(dependent, env);
  }
}
