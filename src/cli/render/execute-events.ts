/** Translates what execute and the engine tell into progress lines, in docker compose's words. Writes nothing itself. */
import type { ProgressEvent, ProgressListener } from "../../engine/types.js";
import type { ExecuteEvent } from "../../execute/events.js";
import { given } from "../../lib/given.js";
import type { Progress, ProgressUpdate } from "./progress.js";
import { shortId } from "./units.js";

/** A listener for one engine call on an image (pull, push, build, load). */
export function engineListener(progress: Progress, warn: (message: string) => void): ProgressListener {
  return (event) => {
    if (event.type === "warning") warn(event.message);
    else for (const update of describeProgress(event)) progress.update(update);
  };
}

/** The lines that an event changes. */
export function describeEvent(event: ExecuteEvent): readonly ProgressUpdate[] {
  switch (event.type) {
    case "status":
      return [
        {
          kind: "item",
          // what a provider does for a service stands under its bare name
          id: event.resource === "Service" ? event.name : `${event.resource} ${event.name}`,
          status: event.status,
          text: event.text,
          ...given({ details: event.details }),
        },
      ];
    case "progress":
      return describeProgress(event.event);
    case "output":
      return [{ kind: "output", id: event.name, stream: event.stream, text: event.text }];
    case "warning":
      return [];
  }
}

/** The lines that an engine event changes; layers lie under their image. */
function describeProgress(event: ProgressEvent): readonly ProgressUpdate[] {
  switch (event.type) {
    case "pull-start":
      return [{ kind: "item", id: `Image ${event.image}`, status: "working", text: "Pulling" }];
    case "pull-done":
      return [
        {
          kind: "item",
          id: `Image ${event.image}`,
          status: "done",
          text: "Pulled",
          ...(event.upToDate ? { details: "up to date" } : {}),
        },
      ];
    case "layer":
      return [layerUpdate(event, event.phase === "done" || event.phase === "exists", LAYER_WORDS[event.phase])];
    case "push-layer":
      return [layerUpdate(event, event.phase !== "pushing", PUSH_WORDS[event.phase])];
    case "build-step":
      return [
        {
          kind: "item",
          id: `Image ${event.image}`,
          status: "working",
          text: "Building",
          details: `[${event.step}/${event.steps}] ${event.text}${event.cached ? " (cached)" : ""}`,
          build: { step: event.step, steps: event.steps, text: event.text, cached: event.cached },
        },
      ];
    case "build-export":
      return [
        {
          kind: "item",
          id: `Image ${event.image}`,
          status: "working",
          text: "Building",
          details: "exporting to image",
          build: { imageId: event.imageId, names: event.names, durationMs: event.durationMs },
        },
      ];
    case "build-output":
      return [{ kind: "output", id: `Image ${event.image}`, stream: event.stream, text: event.text, build: true }];
    case "build-done":
      return [{ kind: "item", id: `Image ${event.image}`, status: "done", text: "Built" }];
    case "warning":
      return [];
  }
}

const LAYER_WORDS = {
  waiting: "Waiting",
  downloading: "Downloading",
  extracting: "Extracting",
  done: "Pull complete",
  exists: "Already exists",
} as const;
const PUSH_WORDS = {
  pushing: "Pushing",
  done: "Pushed",
  exists: "Layer already exists",
  mounted: "Mounted",
} as const;

function layerUpdate(
  event: Extract<ProgressEvent, { type: "layer" | "push-layer" }>,
  isDone: boolean,
  text: string,
): ProgressUpdate {
  return {
    kind: "item",
    id: shortId(event.digest),
    parent: `Image ${event.image}`,
    status: isDone ? "done" : "working",
    text,
    currentBytes: event.currentBytes,
    totalBytes: event.totalBytes,
  };
}
