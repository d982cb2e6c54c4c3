/** Stopping. A failed pre_stop hook is reported, and the container is stopped all the same. */
import { isTscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, idOf, told } from "../context.js";
import { runHookCommands } from "./hooks.js";

/** Carries out `stop-container`. */
export async function stopContainer(context: ExecuteContext, operation: OperationOf<"stop-container">): Promise<void> {
  const { container, preStop, timeoutMs, silent } = operation;
  const id = idOf(context, container);
  const about = { resource: "Container", name: container.name, begin: "Stopping", end: "Stopped" } as const;
  await told(context, { ...about, ...(silent === true ? { silent } : {}) }, async () => {
    let failed: unknown;
    if (preStop !== undefined) {
      const info = await context.engine.containers.inspect(id);
      if (info.state === "running") {
        await runHookCommands(context, id, container.name, preStop).catch((error: unknown) => {
          // it has stopped by itself, which is what was wanted
          if (!isTscError(error, "TSC_HOOK_TOO_LATE")) failed = error;
        });
      }
    }
    await context.engine.containers.stop(id, given({ timeoutMs }));
    if (failed !== undefined) throw failed;
  });
}
