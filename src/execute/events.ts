/** What the executor tells while it works: typed data for renderers, with docker compose's words. Formats nothing. */
import type { ProgressEvent } from "../engine/types.js";

/** docker compose's words for what a status speaks of. */
export type ResourceKind = "Container" | "Network" | "Volume" | "Image" | "Service";

/** Something to tell while a plan is carried out. */
export type ExecuteEvent =
  | {
      readonly type: "status";
      readonly resource: ResourceKind;
      /** The resource's real name (`proj-web-1`). */
      readonly name: string;
      readonly status: "working" | "done" | "warning" | "error";
      /** `Creating`, `Created`, `Recreate`, `Recreated`, `Starting`, `Started`, `Running`, `Waiting`, `Healthy`, `Exited`, `Error` … */
      readonly text: string;
      readonly details?: string;
    }
  /** Pull, push and build progress of an image. */
  | { readonly type: "progress"; readonly name: string; readonly event: ProgressEvent }
  /** Output of a hook or a provider, one line. */
  | {
      readonly type: "output";
      readonly of: "hook" | "provider";
      readonly name: string;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
    }
  | { readonly type: "warning"; readonly message: string };

/** Hears of it. */
export type ExecuteListener = (event: ExecuteEvent) => void;
