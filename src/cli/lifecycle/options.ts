/** Flags that several lifecycle commands read the same way. */
import type { Project } from "../../compose/model.js";
import { noSuchService } from "../../compose/no-such-service.js";
import type { PullPolicy } from "../../plan/images.js";
import type { Recreate } from "../../plan/reconcile/context.js";
import type { ParsedOptions } from "../command.js";
import { isTrue } from "../globals.js";
import { usage } from "../usage.js";

/** Refuses two flags that are both given. */
export function refuseBoth(options: ParsedOptions, first: string, second: string): void {
  if (options.flag(first) && options.flag(second)) {
    throw usage(`--${first} and --${second} are incompatible`);
  }
}

/** `--timeout` in milliseconds. */
export function timeoutMs(options: ParsedOptions, long = "timeout"): number | undefined {
  const seconds = options.number(long);
  if (seconds === undefined || !options.given(long)) return undefined;
  if (seconds < -1) throw usage(`--${long} must be a non-negative number of seconds`);
  return seconds * 1000;
}

/** `--scale web=3 --scale db=2`; TSC_COMPOSE_SERVICE_UNKNOWN for a service that is not in the project. */
export function scales(values: readonly string[], project: Project): ReadonlyMap<string, number> {
  const scale = new Map<string, number>();
  for (const value of values) {
    const at = value.lastIndexOf("=");
    if (at <= 0) throw usage(`invalid --scale option "${value}". Should be SERVICE=NUM`);
    const service = value.slice(0, at);
    const count = Number(value.slice(at + 1));
    if (value.slice(at + 1) === "" || !Number.isSafeInteger(count) || count < 0) {
      throw usage(
        `invalid --scale option "${value}": ${JSON.stringify(value.slice(at + 1))} is not a number of containers`,
      );
    }
    if (project.services[service] === undefined) {
      throw noSuchService(service);
    }
    scale.set(service, count);
  }
  return scale;
}

/** `--pull` of up, create and run. */
export function pullPolicy(options: ParsedOptions, choices: readonly PullPolicy[]): PullPolicy {
  const text = options.text("pull") ?? "policy";
  const found = [...choices, "policy" as const].find((choice) => choice === text);
  if (found === undefined) throw usage(`--pull: invalid policy "${text}": use ${choices.join(", ")} or policy`);
  return found;
}

/** The recreate rules of up and create. */
export function recreateRules(options: ParsedOptions): { recreate: Recreate; recreateDependencies: Recreate } {
  const has = (long: string): boolean => declared(options, long) && options.flag(long);
  refuseBoth(options, "force-recreate", "no-recreate");
  if (has("renew-anon-volumes") && has("no-recreate")) {
    throw usage("--renew-anon-volumes and --no-recreate are incompatible");
  }
  if (has("always-recreate-deps") && has("no-recreate")) {
    throw usage("--always-recreate-deps and --no-recreate are incompatible");
  }
  // fresh anonymous volumes need a fresh container, as in docker compose
  const forced = has("force-recreate") || has("renew-anon-volumes");
  const recreate = has("no-recreate") ? "never" : forced ? "force" : "diverged";
  return {
    recreate,
    recreateDependencies: has("always-recreate-deps") ? "force" : has("no-recreate") ? "never" : "diverged",
  };
}

function declared(options: ParsedOptions, long: string): boolean {
  try {
    options.flag(long);
    return true;
  } catch {
    return false;
  }
}

/** `--remove-orphans` and its variables, which `.env` may set as well. */
export function orphanRules(
  options: ParsedOptions,
  env: Readonly<Record<string, string | undefined>>,
): { removeOrphans: boolean; ignoreOrphans: boolean } {
  const removeOrphans = options.given("remove-orphans")
    ? options.flag("remove-orphans")
    : isTrue(env["COMPOSE_REMOVE_ORPHANS"]);
  const ignoreOrphans = isTrue(env["COMPOSE_IGNORE_ORPHANS"]);
  if (removeOrphans && ignoreOrphans) {
    throw usage("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans");
  }
  return { removeOrphans, ignoreOrphans };
}

/** `KEY=VALUE` and bare `KEY` (from the environment, dropped when unset). */
export function keyValues(
  values: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const value of values) {
    const at = value.indexOf("=");
    const key = at < 0 ? value : value.slice(0, at);
    const resolved = at < 0 ? environment[key] : value.slice(at + 1);
    if (resolved !== undefined) result[key] = resolved;
  }
  return result;
}
