/** What an operation gets to work with. Data and two small services; no decisions. */
import type { EngineApi } from "../engine/api.js";
import { isTscError, TscError } from "../lib/errors.js";
import type { ContainerTarget } from "../plan/plan.js";
import type { ExecuteEvent, ExecuteListener, ResourceKind } from "./events.js";
import type { ContainerWatch } from "./watch.js";

/** What every operation is given. */
export interface ExecuteContext {
  readonly engine: EngineApi;
  readonly project: string;
  readonly emit: ExecuteListener;
  readonly signal: AbortSignal | undefined;
  /** Ids of containers made by this plan, by final name. */
  readonly ids: Map<string, string>;
  /** Variables set by providers, by the service that gets them. */
  readonly providerEnv: Map<string, Record<string, string>>;
  readonly watch: ContainerWatch;
  /** For providers: the project's folder and the environment they get. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The caller's alone: where provider programs are looked for. */
  readonly callerEnv: Readonly<Record<string, string | undefined>>;
}

/** The id of a container that exists or that this plan has made. */
export function idOf(context: ExecuteContext, target: ContainerTarget): string {
  const id = target.id ?? context.ids.get(target.name);
  if (id === undefined) {
    throw new TscError("TSC_CONTAINER_NOT_FOUND", `container ${target.name} does not exist`, { kind: "not-found" });
  }
  return id;
}

/** Tells `begin`, runs, tells `end`; on failure tells `Error` with the reason and throws on. */
export async function told<T>(
  context: ExecuteContext,
  about: {
    readonly resource: ResourceKind;
    readonly name: string;
    readonly begin: string;
    readonly end: string;
    readonly silent?: boolean;
  },
  work: () => Promise<T>,
): Promise<T> {
  const { resource, name } = about;
  const tell = (status: "working" | "done", text: string): void => {
    if (about.silent !== true) context.emit({ type: "status", resource, name, status, text });
  };
  tell("working", about.begin);
  try {
    const result = await work();
    tell("done", about.end);
    return result;
  } catch (error) {
    context.emit(errorEvent(resource, name, error));
    throw error;
  }
}

/** The event of a failed operation. */
export function errorEvent(resource: ResourceKind, name: string, error: unknown): ExecuteEvent {
  if (isCancelled(error)) return { type: "status", resource, name, status: "warning", text: "Interrupted" };
  const details = error instanceof Error ? error.message : String(error);
  return { type: "status", resource, name, status: "error", text: "Error", details };
}

/** The error of an interrupted command; what else went wrong meanwhile is attached. */
export function cancelled(others: readonly unknown[] = []): TscError {
  const suppressed = others.filter((error) => !isCancelled(error));
  return new TscError("TSC_CANCELLED", "canceled", { kind: "cancelled", suppressed });
}

/** Also what Node says of a signal that was aborted without a reason. */
function isCancelled(error: unknown): boolean {
  return isTscError(error) ? error.kind === "cancelled" : error instanceof Error && error.name === "AbortError";
}
