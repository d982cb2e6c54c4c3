/**
 * Services that an external program provides (`provider:`): `PROGRAM compose --project-name P up|stop|down --OPTION=VALUE SERVICE`. It
 * answers with one JSON object a line: `{"type": "info"|"error"|"debug"|"setenv"|"rawsetenv", "message": …}`.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { withCallerUmask } from "../../lib/caller.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { ExecuteContext } from "../context.js";
import { LineSplitter } from "./hooks.js";
import type { OperationOf } from "./index.js";

/** TSC_PROVIDER_NOT_FOUND, TSC_PROVIDER_FAILED. Variables go to the dependents' containers, raw ones without the service's prefix. */
export async function runProvider(context: ExecuteContext, operation: OperationOf<"run-provider">): Promise<void> {
  const { service, provider, action } = operation;
  const program = findProvider(provider.type, context.callerEnv);
  const args = [
    "compose",
    "--project-name",
    context.project,
    action,
    ...Object.entries(provider.options ?? {}).flatMap(([key, values]) => values.map((value) => `--${key}=${value}`)),
    service,
  ];
  const done = { up: "Started", stop: "Stopped", down: "Removed" }[action];
  context.emit({ type: "status", resource: "Service", name: service, status: "working", text: "Calling provider" });
  const errors: string[] = [];
  const code = await run(context, program, args, (stream, line) => {
    if (stream === "stderr") return context.emit({ type: "output", of: "provider", name: service, stream, text: line });
    const message = parseMessage(line);
    switch (message?.type) {
      case "setenv":
      case "rawsetenv":
        return setVariable(context, operation, message.message, message.type === "rawsetenv");
      case "error":
        errors.push(message.message);
        return;
      case "debug":
        return;
      default:
        context.emit({ type: "output", of: "provider", name: service, stream, text: message?.message ?? line });
    }
  });
  if (code !== 0 || errors.length > 0) {
    const why = errors.length > 0 ? errors.map((text) => printable(text)).join("; ") : `exit ${code}`;
    context.emit({ type: "status", resource: "Service", name: service, status: "error", text: "Error", details: why });
    throw new TscError("TSC_PROVIDER_FAILED", `provider ${provider.type} of service "${service}" failed: ${why}`);
  }
  context.emit({ type: "status", resource: "Service", name: service, status: "done", text: done });
}

function run(
  context: ExecuteContext,
  program: string,
  args: readonly string[],
  onLine: (stream: "stdout" | "stderr", line: string) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = withCallerUmask(context.env, () =>
      spawn(program, args, {
        cwd: context.cwd,
        env: context.env,
        stdio: ["ignore", "pipe", "pipe"],
        ...(context.signal === undefined ? {} : { signal: context.signal }),
      }),
    );
    const lines = new LineSplitter((stream, text) => {
      if (text !== "") onLine(stream, text);
    });
    child.stdout.on("data", (data: Buffer) => lines.push("stdout", data));
    child.stderr.on("data", (data: Buffer) => lines.push("stderr", data));
    child.on("error", reject);
    child.on("close", (code) => {
      lines.end();
      resolve(code ?? 1);
    });
  });
}

/**
 * The program of a provider type: `docker-TYPE` (a CLI plugin) on PATH, or TYPE itself when the caller lists it in TSCOMPOSE_PROVIDERS. A path, or
 * any other program of the host, is not what a compose file may run (`type: sh` would run the project's file `compose`). `TSC_PROVIDER_NOT_FOUND`.
 */
export function findProvider(type: string, env: Readonly<Record<string, string | undefined>>): string {
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

function parseMessage(line: string): { readonly type: string; readonly message: string } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
    return { type: String(value.type), message: "message" in value ? String(value.message) : "" };
  } catch {
    return undefined;
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
