/** Translates execute's and the engine's events into progress updates. Formats texts only; writes nothing. */
import type { ProgressEvent } from "../../engine/types.js";
import type { ExecuteEvent } from "../../execute/events.js";
import type { ProgressUpdate } from "../render/progress.js";

/** The update for an event, or undefined when it shows nothing. Warnings are the caller's. */
export function progressUpdate(event: Exclude<ExecuteEvent, { readonly type: "warning" }>): ProgressUpdate | undefined {
  switch (event.type) {
    case "status":
      return {
        kind: "item",
        id: `${event.resource} ${event.name}`,
        status: event.status,
        text: event.text,
        ...(event.details === undefined ? {} : { details: event.details }),
      };
    case "output":
      return { kind: "output", id: event.name, stream: event.stream, text: event.text };
    case "progress":
      return engineUpdate(event.name, event.event);
  }
}

const LAYER_TEXT = {
  waiting: "Waiting",
  downloading: "Downloading",
  extracting: "Extracting",
  done: "Pull complete",
  exists: "Already exists",
} as const;
const PUSH_TEXT = {
  pushing: "Pushing",
  done: "Pushed",
  exists: "Layer already exists",
  mounted: "Mounted",
} as const;

function engineUpdate(name: string, event: ProgressEvent): ProgressUpdate | undefined {
  const parent = `Image ${name}`;
  switch (event.type) {
    case "layer":
    case "push-layer": {
      const text = event.type === "layer" ? LAYER_TEXT[event.phase] : PUSH_TEXT[event.phase];
      const ended = event.phase === "done" || event.phase === "exists" || event.phase === "mounted";
      return {
        kind: "item",
        id: event.digest.replace(/^sha256:/, "").slice(0, 12),
        parent,
        status: ended ? "done" : "working",
        text,
        currentBytes: event.currentBytes,
        totalBytes: event.totalBytes,
      };
    }
    case "build-step": {
      const text = `[${event.step}/${event.steps}] ${event.cached ? "CACHED " : ""}${event.text}`;
      return { kind: "output", id: name, stream: "stderr", text };
    }
    case "build-output":
      return { kind: "output", id: name, stream: event.stream, text: event.text.replace(/\r?\n$/, "") };
    case "pull-start":
    case "pull-done":
    case "build-done":
    case "warning":
      return undefined;
  }
}
