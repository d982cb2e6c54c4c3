/**
 * What the progress renderers show: items with a state, and lines of output. Execute's events are translated here and nowhere
 * else; the renderers know only `ProgressUpdate`. Writes nothing.
 */
import type { Printed } from "./printed.js";

/** `working` is under way; an item in any other state has ended, until it works again. */
export type ProgressStatus = "working" | "done" | "warning" | "error";

/** One change of one line. `id` is what the person sees: `Container web-1`, `Network x_default`, `Image redis`. */
export type ProgressUpdate =
  | {
      readonly kind: "item";
      readonly id: string;
      /** Shown under this item (a layer under its image). */
      readonly parent?: string;
      readonly status: ProgressStatus;
      /** `Starting`, `Started`, `Pulling` … */
      readonly text: string;
      readonly details?: string;
      readonly currentBytes?: number;
      readonly totalBytes?: number;
      /** A step of a build that begins, or is taken from the cache. */
      readonly build?: BuildStep | BuildExport;
    }
  /** Output of a build step or the like, one line. */
  | {
      readonly kind: "output";
      readonly id: string;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
      /** It is a build step's. */
      readonly build?: true;
    };

/** A finished image: what was written, under which names. */
export interface BuildExport {
  readonly imageId: string;
  readonly names: readonly string[];
  readonly durationMs: number;
}

/** The `step`th of a build's `steps`: it begins, or its result was in the cache. */
export interface BuildStep {
  readonly step: number;
  readonly steps: number;
  readonly text: string;
  readonly cached: boolean;
}

/** A running renderer. After `end` the terminal is as it was. */
export interface Progress {
  update(update: ProgressUpdate): void;
  /** Writes text above the live lines. */
  line(text: Printed): void;
  end(): Promise<void>;
}
