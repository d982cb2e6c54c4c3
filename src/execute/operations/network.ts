/** Networks: make, remove, connect, disconnect. */
import { isTscError } from "../../lib/errors.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, idOf, told } from "../context.js";

/** One that somebody made meanwhile is taken as it is. */
export async function createNetwork(context: ExecuteContext, operation: OperationOf<"create-network">): Promise<void> {
  const { spec } = operation;
  await told(context, { resource: "Network", name: spec.name, begin: "Creating", end: "Created" }, async () => {
    try {
      await context.engine.networks.create(spec);
    } catch (error) {
      if (!isTscError(error, "TSC_NETWORK_EXISTS")) throw error;
    }
  });
}

/** Carries out `remove-network`. */
export async function removeNetwork(context: ExecuteContext, operation: OperationOf<"remove-network">): Promise<void> {
  const { name } = operation;
  context.emit({ type: "status", resource: "Network", name, status: "working", text: "Removing" });
  try {
    await context.engine.networks.remove(name);
  } catch (error) {
    if (isTscError(error, "TSC_NETWORK_IN_USE") && operation.tolerant === true) {
      const text = "Resource is still in use";
      context.emit({ type: "status", resource: "Network", name, status: "warning", text });
      return;
    }
    if (!isTscError(error, "TSC_NETWORK_NOT_FOUND")) {
      const details = error instanceof Error ? error.message : String(error);
      context.emit({ type: "status", resource: "Network", name, status: "error", text: "Error", details });
      throw error;
    }
  }
  context.emit({ type: "status", resource: "Network", name, status: "done", text: "Removed" });
}

/** Carries out `connect-network`. */
export async function connectNetwork(
  context: ExecuteContext,
  operation: OperationOf<"connect-network">,
): Promise<void> {
  await context.engine.containers.connectNetwork(idOf(context, operation.container), operation.attachment);
}

/** Carries out `disconnect-network`. */
export async function disconnectNetwork(
  context: ExecuteContext,
  operation: OperationOf<"disconnect-network">,
): Promise<void> {
  await context.engine.containers.disconnectNetwork(idOf(context, operation.container), operation.network);
}
