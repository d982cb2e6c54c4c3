/**
 * A compose project for programs: `tscompose/project`. `up` and `down` do what the commands of these names do and tell what happens as
 * events; `observe`, `planUp`, `planDown` and `execute` are the steps they are made of, for whoever wants to look at a plan first.
 * Prints nothing, asks nothing, reads no environment but the one it is given.
 */
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
export { type ChangeOptions, down, type UpRequest, up } from "./change.js";
export { lockProject } from "./lock.js";
