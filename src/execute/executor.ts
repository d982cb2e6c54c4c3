/**
 * Walks a plan as wide as its dependencies allow. Decides nothing: an operation starts when everything it waits for has
 * succeeded, is skipped when one of those failed, and failures are collected. Undoes nothing.
 */
import type { EngineApi } from "../engine/api.js";
import { type TscError, throwAll } from "../lib/errors.js";
import { createLimiter } from "../lib/limit.js";
import { asTscError } from "../lib/system-error.js";
import type { Operation, Plan } from "../plan/plan.js";
import { cancelled, type ExecuteContext } from "./context.js";
import type { ExecuteListener } from "./events.js";
import { runOperation } from "./operations/index.js";
import { ContainerWatch } from "./watch.js";

/** What carrying out a plan needs besides the plan. */
export interface ExecuteOptions {
  readonly engine: EngineApi;
  readonly emit: ExecuteListener;
  /** Operations at the same time; below 1 is without limit. */
  readonly parallel?: number;
  /** Aborting lets running operations end and starts no more. */
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The caller's environment alone, without what the project's files add: it says which programs may run. */
  readonly callerEnv?: Readonly<Record<string, string | undefined>>;
}

/** What came of a plan. */
export interface ExecuteResult {
  /** Ids of containers that were made, by name. */
  readonly ids: ReadonlyMap<string, string>;
}

/**
 * Carries the plan out. Throws the failures (one, or a list), or `TSC_CANCELLED` (exit code 130) when it was interrupted; what was
 * done stays and the next command continues from there.
 */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<ExecuteResult> {
  const watch = new ContainerWatch(options.engine);
  const context: ExecuteContext = {
    engine: options.engine,
    project: plan.project,
    emit: options.emit,
    signal: options.signal,
    ids: new Map(),
    providerEnv: new Map(),
    watch,
    cwd: options.cwd ?? "/",
    env: options.env ?? {},
    callerEnv: options.callerEnv ?? {},
  };
  for (const message of plan.warnings) options.emit({ type: "warning", message });
  try {
    const errors = await walk(plan, context, options.parallel ?? 0);
    if (options.signal?.aborted === true) throw cancelled(errors);
    throwAll(errors);
    return { ids: context.ids };
  } finally {
    watch.close();
  }
}

async function walk(plan: Plan, context: ExecuteContext, parallel: number): Promise<TscError[]> {
  const limit = parallel > 0 ? createLimiter(parallel) : undefined;
  const errors: TscError[] = [];
  const settled = new Map<number, Promise<boolean>>();
  const run = async (operation: Operation): Promise<boolean> => {
    const needed = await Promise.all(operation.dependsOn.map((id) => settled.get(id) ?? true));
    await Promise.all((operation.after ?? []).map((id) => settled.get(id)));
    if (needed.includes(false) || context.signal?.aborted === true) return false;
    try {
      // A wait holds no slot: it would keep the work that it waits for from running.
      if (limit === undefined || operation.kind === "wait-service") await runOperation(context, operation);
      else await limit(() => runOperation(context, operation));
      return true;
    } catch (error) {
      errors.push(asTscError(error));
      return false;
    }
  };
  for (const operation of plan.operations) settled.set(operation.id, run(operation));
  await Promise.all(settled.values());
  return errors;
}
