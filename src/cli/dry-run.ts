/**
 * What `--dry-run` means to each command: some only read, some tell what they would do instead of doing it, and the rest must not run at
 * all, because a flag that is silently ignored would change the machine. A test keeps the lists complete.
 */
import type { Plan } from "../plan/plan.js";
import type { CommandSpec } from "./command.js";
import type { CliContext } from "./context.js";
import { usageError } from "./parse.js";
import { joined, type Printed, printed, printedJson } from "./render/printed.js";

/** Change nothing, so that they run as always. */
const READ_ONLY = new Set([
  ...["__complete", "alpha", "alpha generate", "alpha viz", "bridge", "bridge transformations"],
  ...["bridge transformations list", "check", "commands", "completion", "config", "convert", "doctor", "events"],
  ...["images", "info", "logs", "ls", "port", "ps", "stats", "top", "version", "viz", "volumes", "wait"],
  ...["container inspect", "container logs", "container ls", "image inspect", "image ls"],
  ...["container port", "container stats", "container top", "container wait", "history", "image history", "inspect"],
  ...["system df", "system events", "system info"],
  ...["network inspect", "network ls", "volume inspect", "volume ls", "internal cleanup", "internal restart"],
]);

/** Print their plan, or what they would copy, commit, export or publish. */
const TELLING = new Set([
  ...["build", "commit", "cp", "create", "down", "export", "kill", "pause", "publish", "pull", "push", "restart", "rm"],
  "system boot",
  ...["builder prune", "container prune", "image prune", "network prune", "system prune", "volume prune"],
  "container cp",
  ...["run", "scale", "start", "stop", "unpause", "up", "alpha dry-run", "alpha publish", "alpha scale"],
]);

/** `reads` and `tells` may go on with `--dry-run`; `refuses` may not. */
export function dryRunKind(name: string): "reads" | "tells" | "refuses" {
  if (READ_ONLY.has(name)) return "reads";
  return TELLING.has(name) ? "tells" : "refuses";
}

/** `TSC_USAGE` for a command that would do its work in spite of `--dry-run`. */
export function refuseDryRun(command: CommandSpec): void {
  if (dryRunKind(command.name) !== "refuses") return;
  const name = command.name === "exec" ? "interactive exec" : command.name;
  throw usageError({ path: `tscompose ${command.name}` }, `${name} is not supported in dry-run mode`);
}

/** What stands before each line of a dry run, as in docker compose. */
export const DRY_RUN_PREFIX = " DRY-RUN MODE - ";

/** The plan as the result of a dry run: a line per operation, with its cause; or a JSON object per operation. */
export async function dryRunText(plan: Plan, json: boolean): Promise<Printed> {
  const { formatOperation } = await import("../plan/plan.js");
  const lines = plan.operations.map((operation) => {
    if (!json) return printed`${DRY_RUN_PREFIX} ${formatOperation(operation)}`;
    const { kind, resource, cause, dependsOn } = operation;
    return printedJson({ "dry-run": true, id: resource, text: kind, details: cause, after: dependsOn });
  });
  return joined(lines.flatMap((line) => [line, printed`\n`]));
}

/** Tells of a piece of work that has no plan (a copy, a commit), as progress lines do. */
export function tellDryRun(ctx: CliContext, id: string, text: string): void {
  ctx.print(
    ctx.globals.progress === "json"
      ? joined([printedJson({ "dry-run": true, id, text }), printed`\n`])
      : printed`${DRY_RUN_PREFIX} ${id} ${text}\n`,
  );
}
