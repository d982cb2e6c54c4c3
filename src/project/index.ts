/**
 * A compose project for programs: `tscompose/project`. `up` and `down` do what the commands of these names do and tell what happens as
 * events; `observe`, `planUp`, `planDown` and `execute` are the steps they are made of, for whoever wants to look at a plan first.
 * Prints nothing, asks nothing, reads no environment but the one it is given.
 */
import type { Project } from "../compose/model.js";
import type { EngineApi } from "../engine/api.js";
import type { ExecuteListener } from "../execute/events.js";
import { execute } from "../execute/executor.js";
import { given } from "../lib/given.js";
import { type DownOptions, planDown } from "../plan/down.js";
import { observe } from "../plan/observe.js";
import type { Plan } from "../plan/plan.js";
import type { UpOptions } from "../plan/reconcile/context.js";
import { type BringUpOptions, bringUp } from "./bring-up.js";
import { lockProject } from "./lock.js";

export type { ExecuteEvent, ExecuteListener, ResourceKind } from "../execute/events.js";
export type { ExecuteOptions, ExecuteResult } from "../execute/executor.js";
export { execute } from "../execute/executor.js";
export type { ErrorKind, SourcePlace } from "../lib/errors.js";
export { isTscError, TscError, TscErrorList } from "../lib/errors.js";
export type { DownOptions } from "../plan/down.js";
export { planDown } from "../plan/down.js";
export type { ImageOptions, PullPolicy } from "../plan/images.js";
export { imageReferences, planImages } from "../plan/images.js";
export type { Observed, ObservedContainer } from "../plan/observe.js";
export { observe } from "../plan/observe.js";
export type { ContainerTarget, HookRun, Operation, Plan } from "../plan/plan.js";
export { formatPlan, isEmpty } from "../plan/plan.js";
export type { Recreate, UpOptions } from "../plan/reconcile/context.js";
export { planUp } from "../plan/up.js";
export type { BringUpOptions, PlanRunner } from "./bring-up.js";
export { lockProject } from "./lock.js";

/** How a change of a project is carried out. */
export interface ChangeOptions {
  /** Hears what happens while it happens: statuses of containers, progress of pulls, output of hooks, warnings. */
  readonly onEvent?: ExecuteListener;
  /** Aborting lets running operations end, starts no more, and throws `TSC_CANCELLED`. What was done stays. */
  readonly signal?: AbortSignal;
  /** Another command holds the project's lock (`holder` says which); the call goes on when it is free. */
  readonly onWait?: (holder: string) => void;
  /** Operations at the same time; without limit when absent. */
  readonly parallel?: number;
  /** The caller's environment, for provider programs. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What `up` may be told besides. A question before data loss is answered with no unless `confirm` says otherwise. */
export type UpRequest = ChangeOptions & Omit<BringUpOptions, "confirm"> & Partial<Pick<UpOptions, "confirm">>;

/**
 * Makes reality match the project, as `tscompose up -d` does: brings images, makes networks, volumes and containers, replaces what
 * differs, starts in order. Doing it again changes nothing. Throws what failed, one `TscError` or a `TscErrorList`.
 */
export async function up(engine: EngineApi, project: Project, request: UpRequest = {}): Promise<void> {
  const { onEvent, signal, onWait, parallel, env, ...rules } = request;
  const change = given({ onEvent, signal, onWait, parallel, env });
  await using _lock = await lock(engine, project.name, change);
  await bringUp({ engine, dryRun: false, run: (plan) => carryOut(engine, plan, project, change) }, project, {
    confirm: () => false,
    ...rules,
  });
}

/**
 * Removes a project's containers and networks, as `tscompose down` does; volumes and images when asked. A name is enough: what belongs to
 * it is known by its labels. Throws what failed, after everything else has been tried.
 */
export async function down(
  engine: EngineApi,
  project: Project | { readonly name: string },
  request: ChangeOptions & Omit<DownOptions, "project"> = {},
): Promise<void> {
  const { onEvent, signal, onWait, parallel, env, ...rules } = request;
  const change = given({ onEvent, signal, onWait, parallel, env });
  const loaded = "services" in project ? project : undefined;
  await using _lock = await lock(engine, project.name, change);
  const plan = planDown(await observe(engine, project.name), { ...rules, project: loaded });
  await carryOut(engine, plan, loaded, change);
}

function lock(engine: EngineApi, project: string, { onWait, signal }: ChangeOptions): Promise<AsyncDisposable> {
  return lockProject(engine, project, given({ onWait, signal }));
}

async function carryOut(
  engine: EngineApi,
  plan: Plan,
  project: Project | undefined,
  change: ChangeOptions,
): Promise<void> {
  const { onEvent, signal, parallel, env = {} } = change;
  await execute(plan, {
    engine,
    emit: onEvent ?? (() => undefined),
    env: { ...env, ...project?.environment },
    callerEnv: env,
    ...given({ cwd: project?.workingDir, signal, parallel }),
  });
}
