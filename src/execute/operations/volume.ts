/** Volumes: make and remove. */
import { isTscError } from "../../lib/errors.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, told } from "../context.js";

/** Carries out `create-volume`. */
export async function createVolume(context: ExecuteContext, operation: OperationOf<"create-volume">): Promise<void> {
  const { spec } = operation;
  await told(context, { resource: "Volume", name: spec.name, begin: "Creating", end: "Created" }, () =>
    context.engine.volumes.create(spec),
  );
}

/** Carries out `remove-volume`. */
export async function removeVolume(context: ExecuteContext, operation: OperationOf<"remove-volume">): Promise<void> {
  const { name } = operation;
  context.emit({ type: "status", resource: "Volume", name, status: "working", text: "Removing" });
  try {
    await context.engine.volumes.remove(name);
  } catch (error) {
    if (isTscError(error, "TSC_VOLUME_IN_USE") && operation.tolerant === true) {
      const text = "Resource is still in use";
      context.emit({ type: "status", resource: "Volume", name, status: "warning", text });
      return;
    }
    if (!isTscError(error, "TSC_VOLUME_NOT_FOUND")) {
      const details = error instanceof Error ? error.message : String(error);
      context.emit({ type: "status", resource: "Volume", name, status: "error", text: "Error", details });
      throw error;
    }
  }
  context.emit({ type: "status", resource: "Volume", name, status: "done", text: "Removed" });
}
