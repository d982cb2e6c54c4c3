/** Starting and restarting, with the hooks that belong to them. */
import { isTscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, idOf, told } from "../context.js";
import { runHookCommands } from "./hooks.js";

/** Carries out `start-container`. */
export async function startContainer(
  context: ExecuteContext,
  operation: OperationOf<"start-container">,
): Promise<void> {
  const { container, postStart } = operation;
  const id = idOf(context, container);
  await told(context, { resource: "Container", name: container.name, begin: "Starting", end: "Started" }, async () => {
    await context.engine.containers.start(id);
    if (postStart !== undefined) await runHookCommands(context, id, container.name, postStart);
  });
}

/** Carries out `restart-container`. */
export async function restartContainer(
  context: ExecuteContext,
  operation: OperationOf<"restart-container">,
): Promise<void> {
  const { container, preStop, postStart, timeoutMs } = operation;
  const id = idOf(context, container);
  await told(
    context,
    { resource: "Container", name: container.name, begin: "Restarting", end: "Started" },
    async () => {
      if (preStop !== undefined) {
        await runHookCommands(context, id, container.name, preStop).catch((error: unknown) => {
          // it has stopped by itself, which is what was wanted
          if (!isTscError(error, "TSC_HOOK_TOO_LATE")) throw error;
        });
      }
      await context.engine.containers.restart(id, given({ timeoutMs }));
      if (postStart !== undefined) await runHookCommands(context, id, container.name, postStart);
    },
  );
}
