/**
 * Services that an external program provides (`provider:`): `PROGRAM compose --project-name=P up|stop|down --OPTION=VALUE SERVICE`, after it was
 * asked for its metadata. It answers with one JSON object a line: `{"type": "info"|"error"|"debug"|"setenv"|"rawsetenv", "message": …}`.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { type OnOutput, type ProgramResult, runProgram } from "../../lib/program.js";
import type { OperationOf } from "../../plan/plan.js";
import { cancelled, type ExecuteContext } from "../context.js";
import { LineSplitter } from "./hooks.js";
import { providerEnvironment } from "./provider-environment.js";
import { type ProviderMetadata, parseMetadata, providerOptions } from "./provider-metadata.js";

type Env = Readonly<Record<string, string | undefined>>;

const METADATA_TIMEOUT_MS = 60_000;
const METADATA_BYTES = 4 * 1024 * 1024;

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
  refuseOptionWords(operation);
  const program = findProvider(provider.type, context.callerEnv);
  const { env, withheld } = providerEnvironment(context);
  for (const name of withheld) {
    context.emit({
      type: "warning",
      message: `provider of service "${service}" does not get ${name} of the project's environment: it steers this machine, not the project`,
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

/** What becomes a word of the program's command line, and must be the word that it stands for. */
function refuseOptionWords({ service, provider }: OperationOf<"run-provider">): void {
  const odd = [...(service.startsWith("-") ? [service] : [])];
  odd.push(...Object.keys(provider.options ?? {}).filter((name) => !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)));
  if (odd[0] === undefined) return;
  throw new TscError(
    "TSC_PROVIDER_PARAMETER",
    `provider of service ${JSON.stringify(service)} cannot be told ${JSON.stringify(odd[0])}: it would be read as an option`,
    {
      kind: "invalid-input",
      hint: "names of services with a provider and of its options begin with a letter or digit",
    },
  );
}

/** One that does not know the question says nothing. `TSC_PROVIDER_FAILED` for one that does not end or says too much. */
async function readMetadata(context: ExecuteContext, program: string, env: Env): Promise<ProviderMetadata> {
  const limits = { timeoutMs: METADATA_TIMEOUT_MS, maxOutput: METADATA_BYTES };
  const { exitCode, stdout } = await ended(context, program, env, ["compose", "metadata"], limits);
  return parseMetadata(exitCode === 0 ? stdout : "");
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
  // what it makes may take its time
  const { exitCode } = await ended(context, program, env, args, {
    onOutput: (stream, data) => lines.push(stream, data),
  });
  lines.end();
  return exitCode ?? 1;
}

async function ended(
  context: ExecuteContext,
  program: string,
  env: Env,
  args: readonly string[],
  limits: { readonly timeoutMs: number; readonly maxOutput: number } | { readonly onOutput: OnOutput },
): Promise<ProgramResult> {
  const { cwd, callerEnv, signal } = context;
  const result = await runProgram(program, args, { cwd, env, callerUmask: callerEnv, signal, ...limits });
  const failed = (why: string): TscError =>
    new TscError("TSC_PROVIDER_FAILED", `provider program ${program} ${why}`, { kind: "unavailable" });
  if (result.stopped === "cancelled") throw cancelled();
  if (result.stopped === "time") throw failed(`does not answer \`${args.join(" ")}\``);
  if (result.stopped === "output") throw failed(`answers \`${args.join(" ")}\` without end`);
  if (result.errno !== undefined) throw failed(`cannot be run: ${result.errno}`);
  return result;
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
