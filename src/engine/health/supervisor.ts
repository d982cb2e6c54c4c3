/** The supervisor's process: one for each run root. */
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";

let starting: Promise<void> | undefined;

/** Starts the supervisor unless one holds its lock; it forks away at once, and a second one ends by itself. */
export async function ensureSupervisor(ctx: EngineContext): Promise<void> {
  // One attempt at a time: twenty containers starting side by side need one supervisor.
  starting ??= startSupervisor(ctx).finally(() => {
    starting = undefined;
  });
  await starting;
}

/** Whether a supervisor of this run root lives, from its record: cheaper than its lock, and nobody is kept from taking that. */
export function isSupervised(ctx: Pick<EngineContext, "paths" | "kernel">): boolean {
  return ctx.kernel.recordedProcess(join(ctx.paths.supervise, ".lock")) !== undefined;
}

async function startSupervisor(ctx: EngineContext): Promise<void> {
  const probe = await ctx.kernel.lockFile(join(ctx.paths.supervise, ".lock"), { wait: false });
  if (probe === undefined) return;
  probe.release();
  const child = ctx.kernel.spawn(ctx.kernel.helperPath("tsc-supd"), [ctx.paths.supervise], {
    stdio: "ignore",
    detached: true,
    cwd: "/",
    env: { ...lasting(ctx.env), TSCOMPOSE_ROOT: ctx.paths.root, TSCOMPOSE_RUN_ROOT: ctx.paths.runRoot },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  }).catch((cause: unknown) => {
    throw new TscError("TSC_SUPERVISOR", "the supervisor (tsc-supd) cannot be started: no health checks, no restarts", {
      cause,
      hint: "npm run setup builds the native programs",
    });
  });
  if (code !== 0) throw new TscError("TSC_SUPERVISOR", `the supervisor (tsc-supd) ended with exit code ${code}`);
}

/** Of a command's environment what a restart reads: the supervisor outlives the command, and a shell's tokens are not for that long. */
function lasting(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names =
    /^(?:PATH|HOME|LANG|LC_\w+|LD_\w+|CNI_PATH|DOCKER_CONFIG|REGISTRY_AUTH_FILE|(?:CONTAINERS|XDG|TSCOMPOSE)_\w+)$/;
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && names.test(entry[0])),
  );
}
