/** Where the conformance data is, files as the loader's port sees them, and how two answers are compared. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { LoadOptions } from "../../../src/compose/index.js";
import { loadProject, toConfigObject } from "../../../src/compose/index.js";
import { messageOf } from "../../../src/lib/errors.js";

/** The data lies beside the project and is not part of it. */
export const SHARED = resolve(import.meta.dirname, "../../../../shared/conformance");
export const hasShared = existsSync(SHARED);
if (!hasShared) process.stderr.write(`conformance: ${SHARED} is absent, its cases are SKIPPED\n`);

/** One case's outcome; `why` is empty when it passed. */
export interface Outcome {
  readonly name: string;
  readonly why: string;
}

/** `docker compose` arguments as loader options; what follows `--` are services. */
export function optionsOf(args: readonly string[]): Partial<LoadOptions> {
  const files: string[] = [];
  const profiles: string[] = [];
  const envFiles: string[] = [];
  let more: Partial<LoadOptions> = {};
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1] ?? "";
    switch (args[i]) {
      case "-f":
      case "--file":
        files.push(value);
        i++;
        break;
      case "-p":
        more = { ...more, projectName: value };
        i++;
        break;
      case "--profile":
        profiles.push(value);
        i++;
        break;
      case "--env-file":
        envFiles.push(value);
        i++;
        break;
      case "--project-directory":
        more = { ...more, projectDirectory: value };
        i++;
        break;
      case "--no-normalize":
        more = { ...more, noNormalize: true };
        break;
      case "--no-consistency":
        more = { ...more, noConsistency: true };
        break;
      case "--no-interpolate":
        more = { ...more, noInterpolate: true };
        break;
      case "--no-path-resolution":
        more = { ...more, noPathResolution: true };
        break;
      case "--":
        more = { ...more, services: args.slice(i + 1) };
        i = args.length;
        break;
      default:
        throw new Error(`unknown argument ${String(args[i])}`);
    }
  }
  return { ...more, files, profiles, envFiles };
}

/** What `config --format json` prints, parsed. */
export async function config(options: LoadOptions, keepDollars = false): Promise<unknown> {
  return JSON.parse(
    JSON.stringify(toConfigObject(await loadProject(options), "json", { keepDollars }), (_key, value: unknown) =>
      typeof value === "bigint" ? Number(value) : value,
    ),
  );
}

/** Every message of an error, those of a list joined. */
function messagesOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "errors" in error && Array.isArray(error.errors)) {
    return error.errors.map(messagesOf).join("\n");
  }
  return messageOf(error);
}

/** Spellings of "nothing" are equal: `create_host_path: true` and its absence; null commands; an empty ipam. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (key === "create_host_path" && entry === true) continue;
    if ((key === "command" || key === "entrypoint") && entry === null) continue;
    const bare = normal(entry);
    const isEmpty = typeof bare === "object" && bare !== null && !Array.isArray(bare) && Object.keys(bare).length === 0;
    if (isEmpty && (key === "ipam" || key === "bind" || key === "volume")) continue;
    result[key] = bare;
  }
  return result;
}

/** Empty when equal, else both values. */
export function difference(got: unknown, wanted: unknown): string {
  const [a, b] = [JSON.stringify(normal(got)), JSON.stringify(normal(wanted))];
  return a === b ? "" : `got    ${a}\nwanted ${b}`;
}

/** The words of a refusal that tell what it is about: quoted names, paths with dots, numbers left out. */
function subjects(message: string): string[] {
  const quoted = [...message.matchAll(/"([^"\s]{1,60})"|'([^'\s]{1,60})'|`([^`\s]{1,60})`/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
  const dotted = [...message.matchAll(/\b(?:services|networks|volumes|configs|secrets)\.[\w.-]+\w/g)].map(
    (match) => match[0],
  );
  return [...quoted, ...dotted].filter((word) => word !== "");
}

/** A refusal must be one of ours and name at least one subject of the reference's message. */
function refusal(error: unknown, reference: string): string {
  const message = messagesOf(error);
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (!code.startsWith("TSC_")) return `unclassified error: ${message}`;
  const wanted = subjects(reference);
  if (wanted.length === 0 || wanted.some((word) => message.includes(word))) return "";
  return `refused with: ${message}\nreference   : ${reference}`;
}

/** Runs `work` and compares with a value or a refusal. */
export async function judge(
  name: string,
  expected: { readonly value?: unknown; readonly refused?: string | undefined },
  work: () => unknown,
): Promise<Outcome> {
  let got: unknown;
  try {
    got = await work();
  } catch (error) {
    return {
      name,
      why: expected.refused === undefined ? `refused: ${messagesOf(error)}` : refusal(error, expected.refused),
    };
  }
  if (expected.refused !== undefined) {
    return {
      name,
      why: `accepted, but the reference says: ${expected.refused}\ngot ${JSON.stringify(got)?.slice(0, 300)}`,
    };
  }
  return { name, why: difference(got, expected.value) };
}
