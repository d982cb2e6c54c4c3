/**
 * Waiting for a condition of a service's containers (docs/reconcile.md R1). A wait that lasts sees to it that what it waits for can
 * still come, and says what that is.
 */
import type { ContainerInfo } from "../../engine/types.js";
import { messageOf, TscError } from "../../lib/errors.js";
import type { ContainerTarget, OperationOf } from "../../plan/plan.js";
import { cancelled, type ExecuteContext, errorEvent, idOf } from "../context.js";

/** A container that ends at once is told as ended, not as running or without a healthcheck: docker looks for the first time after this long. */
const FIRST_LOOK_MS = 500;
/** A wait is long after this time: from then on it looks after its container, and tells what is missing, this often at most. */
const LONG_WAIT_MS = 5_000;

/** Errors: TSC_DEPENDENCY_UNHEALTHY, TSC_DEPENDENCY_EXITED, TSC_DEPENDENCY_INCOMPLETE, TSC_NO_HEALTHCHECK; warnings instead when not required. */
export async function waitService(context: ExecuteContext, operation: OperationOf<"wait-service">): Promise<void> {
  try {
    await Promise.all(operation.containers.map((container) => waitContainer(context, operation, container)));
  } catch (error) {
    if (operation.required || context.signal?.aborted === true) throw error;
    context.emit({
      type: "warning",
      message: `optional dependency "${operation.service}" failed to start: ${messageOf(error)}`,
    });
  }
}

async function waitContainer(
  context: ExecuteContext,
  operation: OperationOf<"wait-service">,
  container: ContainerTarget,
): Promise<void> {
  const id = idOf(context, container);
  const { name } = container;
  context.emit({ type: "status", resource: "Container", name, status: "working", text: "Waiting" });
  const patience = new Patience(context, id, name);
  try {
    let isEarly = true;
    const settled = pause(FIRST_LOOK_MS).then(() => {
      isEarly = false;
    });
    for (;;) {
      if (context.signal?.aborted === true) throw cancelled();
      const changed = context.watch.changed(id);
      const info = await context.engine.containers.inspect(id);
      const mayEnd = info.state === "running" && !info.hasHealthcheck;
      if (isEarly && mayEnd && operation.condition !== "service_completed_successfully") {
        await Promise.race([changed, aborted(context.signal), settled]);
        continue;
      }
      const text = verdict(operation, info);
      if (text !== undefined) {
        context.emit({ type: "status", resource: "Container", name, status: "done", text });
        return;
      }
      await patience.look(() => missing(operation, info));
      await Promise.race([changed, aborted(context.signal)]);
    }
  } catch (error) {
    if (operation.required) context.emit(errorEvent("Container", name, error));
    else {
      const details = messageOf(error);
      context.emit({ type: "status", resource: "Container", name, status: "warning", text: "Skipped", details });
    }
    throw error;
  }
}

/** One wait's memory of how long it lasts and what it has said. */
class Patience {
  readonly #context: ExecuteContext;
  readonly #id: string;
  readonly #name: string;
  #since = Date.now();
  #said = "";

  constructor(context: ExecuteContext, id: string, name: string) {
    this.#context = context;
    this.#id = id;
    this.#name = name;
  }

  /** `TSC_SUPERVISOR` when nobody can watch the container: then what is waited for never comes. */
  async look(words: () => string): Promise<void> {
    if (Date.now() - this.#since < LONG_WAIT_MS) return;
    this.#since = Date.now();
    await this.#context.engine.containers.mend(this.#id);
    const details = words();
    if (details === this.#said) return;
    this.#said = details;
    const about = { type: "status", resource: "Container", name: this.#name } as const;
    this.#context.emit({ ...about, status: "working", text: "Waiting", details });
  }
}

/** What a wait is still waiting for. Pure. */
export function missing(operation: Pick<OperationOf<"wait-service">, "condition">, info: ContainerInfo): string {
  const { state } = info;
  if (operation.condition === "service_completed_successfully") {
    return state === "running" ? "for its end" : `for its end: it is ${state}`;
  }
  if (state !== "running") return `for it to run: it is ${state}`;
  const last = info.healthLog.at(-1);
  if (last === undefined) return "for its first health check to end";
  const said = last.output.trim().split("\n").at(-1) ?? "";
  return `for its health check: exit code ${last.exitCode}${said === "" ? "" : `: ${said.slice(0, 200)}`}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The word for the fulfilled condition, undefined to wait on; throws when it cannot be fulfilled any more. */
function verdict(operation: OperationOf<"wait-service">, info: ContainerInfo): string | undefined {
  const ended = info.state === "exited" || info.state === "dead";
  if (operation.condition === "service_completed_successfully") {
    if (!ended) return undefined;
    if (info.exitCode === 0) return "Exited";
    throw new TscError(
      "TSC_DEPENDENCY_INCOMPLETE",
      `service "${operation.service}" didn't complete successfully: exit ${info.exitCode}`,
    );
  }
  if (ended) {
    throw new TscError(
      "TSC_DEPENDENCY_EXITED",
      `dependency failed to start: container ${info.name} exited (${info.exitCode})`,
    );
  }
  if (!info.hasHealthcheck) {
    if (operation.condition === "service_running_or_healthy") return info.state === "running" ? "Healthy" : undefined;
    throw new TscError("TSC_NO_HEALTHCHECK", `container ${info.name} has no healthcheck configured`, {
      kind: "invalid-input",
      hint: `add a healthcheck to service "${operation.service}", or depend on it with condition service_started`,
    });
  }
  if (info.health === "healthy") return "Healthy";
  if (info.health === "unhealthy") {
    throw new TscError("TSC_DEPENDENCY_UNHEALTHY", `dependency failed to start: container ${info.name} is unhealthy`);
  }
  return undefined;
}
