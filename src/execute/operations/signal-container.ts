/** Kill, pause, unpause. */

import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, idOf, told } from "../context.js";

/** Carries out `kill-container`. */
export async function killContainer(context: ExecuteContext, operation: OperationOf<"kill-container">): Promise<void> {
  const { name } = operation.container;
  await told(context, { resource: "Container", name, begin: "Killing", end: "Killed" }, () =>
    context.engine.containers.kill(idOf(context, operation.container), operation.signal),
  );
}

/** Carries out `pause-container`. */
export async function pauseContainer(
  context: ExecuteContext,
  operation: OperationOf<"pause-container">,
): Promise<void> {
  const { name } = operation.container;
  await told(context, { resource: "Container", name, begin: "Pausing", end: "Paused" }, () =>
    context.engine.containers.pause(idOf(context, operation.container)),
  );
}

/** Carries out `unpause-container`. */
export async function unpauseContainer(
  context: ExecuteContext,
  operation: OperationOf<"unpause-container">,
): Promise<void> {
  const { name } = operation.container;
  await told(context, { resource: "Container", name, begin: "Unpausing", end: "Unpaused" }, () =>
    context.engine.containers.unpause(idOf(context, operation.container)),
  );
}
