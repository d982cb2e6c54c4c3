/** From an operation to the function that carries it out. */
import { assertNever } from "../../lib/errors.js";
import type { Operation } from "../../plan/plan.js";
import type { ExecuteContext } from "../context.js";
import { createContainer, renameContainer } from "./create-container.js";
import { connectNetwork, createNetwork, disconnectNetwork, removeNetwork } from "./network.js";
import { removeContainer } from "./remove-container.js";
import { killContainer, pauseContainer, unpauseContainer } from "./signal-container.js";
import { restartContainer, startContainer } from "./start-container.js";
import { stopContainer } from "./stop-container.js";
import { createVolume, removeVolume } from "./volume.js";
import { waitService } from "./wait-service.js";

/** Runs one operation to its end. Rarely used ones are loaded when they are needed. */
export async function runOperation(context: ExecuteContext, operation: Operation): Promise<void> {
  switch (operation.kind) {
    case "create-container":
      return createContainer(context, operation);
    case "rename-container":
      return renameContainer(context, operation);
    case "start-container":
      return startContainer(context, operation);
    case "restart-container":
      return restartContainer(context, operation);
    case "stop-container":
      return stopContainer(context, operation);
    case "remove-container":
      return removeContainer(context, operation);
    case "kill-container":
      return killContainer(context, operation);
    case "pause-container":
      return pauseContainer(context, operation);
    case "unpause-container":
      return unpauseContainer(context, operation);
    case "keep-container": {
      const isUp = operation.state === "running" || operation.state === "restarting";
      const text = isUp ? "Running" : operation.state === "created" ? "Created" : "Exists";
      context.emit({ type: "status", resource: "Container", name: operation.container.name, status: "done", text });
      return;
    }
    case "create-network":
      return createNetwork(context, operation);
    case "remove-network":
      return removeNetwork(context, operation);
    case "connect-network":
      return connectNetwork(context, operation);
    case "disconnect-network":
      return disconnectNetwork(context, operation);
    case "create-volume":
      return createVolume(context, operation);
    case "remove-volume":
      return removeVolume(context, operation);
    case "wait-service":
      return waitService(context, operation);
    case "run-hook":
      return (await import("./run-hook.js")).runHook(context, operation);
    case "run-provider":
      return (await import("./run-provider.js")).runProvider(context, operation);
    case "pull-image":
      return (await import("./image.js")).pullImage(context, operation);
    case "push-image":
      return (await import("./image.js")).pushImage(context, operation);
    case "build-image":
      return (await import("./image.js")).buildImage(context, operation);
    case "remove-image":
      return (await import("./image.js")).removeImage(context, operation);
    case "skip-image":
      context.emit({
        type: "status",
        resource: "Image",
        name: operation.image,
        status: "done",
        text: "Skipped",
        details: operation.text,
      });
      return;
    default:
      return assertNever(operation);
  }
}
