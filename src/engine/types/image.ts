/** Images, and the progress of work on them. */
import type { Healthcheck } from "./limits.js";

/** The parts of an OCI image config that running it needs. */
export interface ImageConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string;
  readonly healthcheck?: Healthcheck;
  readonly onBuild: readonly string[];
  readonly shell: readonly string[];
}

/** A stored image. */
export interface ImageInfo {
  /** `sha256:…` of the config blob. */
  readonly id: string;
  /** Full names with tags, `docker.io/library/redis:7`. */
  readonly tags: readonly string[];
  /** `name@sha256:…` of manifests it was pulled by. */
  readonly repoDigests: readonly string[];
  readonly createdAt: string;
  /** When a name was last put on it here (pull, build, tag, load); refresh pull policies need it. */
  readonly lastTaggedAt?: string;
  readonly sizeBytes: number;
  readonly architecture: string;
  readonly os: string;
  readonly variant: string;
  readonly config: ImageConfig;
  /** sha256 of uncompressed layers, base first. */
  readonly diffIds: readonly string[];
  readonly history: readonly {
    readonly createdBy?: string;
    readonly comment?: string;
    readonly emptyLayer?: boolean;
    readonly created?: string;
    readonly author?: string;
  }[];
}

/** Progress of long engine work; callers may ignore any of it. `key` groups lines (a layer, a build step). */
export type ProgressEvent =
  | { readonly type: "pull-start"; readonly image: string }
  | {
      readonly type: "layer";
      readonly image: string;
      readonly digest: string;
      readonly phase: "waiting" | "downloading" | "extracting" | "done" | "exists";
      readonly currentBytes: number;
      readonly totalBytes: number;
    }
  | { readonly type: "pull-done"; readonly image: string; readonly imageId: string; readonly upToDate: boolean }
  | {
      readonly type: "push-layer";
      readonly image: string;
      readonly digest: string;
      readonly phase: "pushing" | "done" | "exists" | "mounted";
      readonly currentBytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly type: "build-step";
      readonly image: string;
      readonly step: number;
      readonly steps: number;
      readonly text: string;
      readonly cached: boolean;
    }
  | {
      readonly type: "build-output";
      readonly image: string;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
    }
  /** The image is written and named; `names` are whole references. */
  | {
      readonly type: "build-export";
      readonly image: string;
      readonly imageId: string;
      readonly names: readonly string[];
      readonly durationMs: number;
    }
  | { readonly type: "build-done"; readonly image: string; readonly imageId: string }
  | { readonly type: "warning"; readonly message: string };

/** Hears of progress. */
export type ProgressListener = (event: ProgressEvent) => void;
