/** Pull, push, build and remove images, with their progress. */
import type { ProgressEvent, ProgressListener } from "../../engine/types.js";
import { changedError, isTscError, messageOf } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, errorEvent, told } from "../context.js";

/** Progress under the name the compose file uses; begin and end are told by the operation itself. */
function forward(context: ExecuteContext, name: string): ProgressListener {
  return (event) => {
    if (event.type === "pull-start" || event.type === "pull-done" || event.type === "build-done") return;
    if (event.type === "warning") context.emit({ type: "warning", message: event.message });
    else context.emit({ type: "progress", name, event: { ...event, image: name } });
  };
}

export function pullImage(context: ExecuteContext, operation: OperationOf<"pull-image">): Promise<void> {
  const { image, platform } = operation;
  return transfer(context, operation, { begin: "Pulling", end: "Pulled" }, (options) =>
    context.engine.images.pull(image, { ...options, ...given({ platform }) }),
  );
}

export function pushImage(context: ExecuteContext, operation: OperationOf<"push-image">): Promise<void> {
  return transfer(context, operation, { begin: "Pushing", end: "Pushed" }, (options) =>
    context.engine.images.push(operation.image, options),
  );
}

/** To or from a registry; a failure that is tolerated is told as a warning. */
async function transfer(
  context: ExecuteContext,
  operation: OperationOf<"pull-image"> | OperationOf<"push-image">,
  words: { readonly begin: string; readonly end: string },
  work: (options: { readonly onProgress?: ProgressListener; readonly signal?: AbortSignal }) => Promise<unknown>,
): Promise<void> {
  const { image: name } = operation;
  const tell = (status: "working" | "warning" | "done", text: string, details?: string): void =>
    context.emit({
      type: "status",
      resource: "Image",
      name,
      status,
      text,
      ...given({ details }),
    });
  tell("working", words.begin);
  try {
    await work({
      ...(operation.quiet === true ? {} : { onProgress: forward(context, name) }),
      ...given({ signal: context.signal }),
    });
  } catch (error) {
    if (operation.tolerant === true && context.signal?.aborted !== true) {
      tell("warning", "Warning", messageOf(error));
      return;
    }
    context.emit(errorEvent("Image", name, error));
    throw error;
  }
  tell("done", words.end);
}

export async function buildImage(context: ExecuteContext, operation: OperationOf<"build-image">): Promise<void> {
  const { image: name } = operation;
  const tell = forward(context, name);
  const unseen: ProgressEvent[] = [];
  await told(context, { resource: "Image", name, begin: "Building", end: "Built" }, async () => {
    try {
      const { request, alsoFor = [] } = operation;
      const builds = [request, ...alsoFor.map((platform) => ({ ...request, platform }))];
      for (const build of builds) {
        await context.engine.images.build({
          ...build,
          ...(alsoFor.length === 0 ? {} : { beside: true }),
          onProgress: (event) => {
            if (operation.quiet !== true || event.type === "warning") tell(event);
            else if (event.type === "build-step") unseen.length = 0;
            else if (event.type === "build-output") {
              unseen.push(event);
              if (unseen.length > MAX_UNSEEN) unseen.shift();
            }
          },
          ...given({ signal: context.signal }),
        });
      }
    } catch (error) {
      for (const event of unseen) tell(event);
      if (!isTscError(error, "TSC_BUILD_FAILED")) throw error;
      throw changedError(error, { message: `image ${name}: ${error.message}` });
    }
  });
}

/** Lines of a quiet build that are told when it fails. */
const MAX_UNSEEN = 20;

/** An image that is gone is no error, one that is used elsewhere is told. */
export async function removeImage(context: ExecuteContext, operation: OperationOf<"remove-image">): Promise<void> {
  const { image: name } = operation;
  context.emit({ type: "status", resource: "Image", name, status: "working", text: "Removing" });
  try {
    await context.engine.images.remove(name);
  } catch (error) {
    const inUse = isTscError(error, "TSC_IMAGE_IN_USE");
    if (!inUse && !isTscError(error, "TSC_IMAGE_NOT_FOUND")) {
      context.emit(errorEvent("Image", name, error));
      throw error;
    }
    const text = inUse ? "Resource is still in use" : "No such image";
    context.emit({ type: "status", resource: "Image", name, status: "warning", text });
    return;
  }
  context.emit({ type: "status", resource: "Image", name, status: "done", text: "Removed" });
}
