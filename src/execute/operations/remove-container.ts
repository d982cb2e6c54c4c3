/** Removing a container; one that is gone already is no error. */
import { isTscError } from "../../lib/errors.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, idOf, told } from "../context.js";

/** Carries out `remove-container`. */
export async function removeContainer(
  context: ExecuteContext,
  operation: OperationOf<"remove-container">,
): Promise<void> {
  const { container, silent } = operation;
  const about = { resource: "Container", name: container.name, begin: "Removing", end: "Removed" } as const;
  await told(context, { ...about, ...(silent === true ? { silent } : {}) }, async () => {
    try {
      await context.engine.containers.remove(idOf(context, container), {
        force: operation.force === true,
        volumes: operation.volumes === true,
      });
    } catch (error) {
      if (!isTscError(error, "TSC_CONTAINER_NOT_FOUND")) throw error;
    }
  });
}
