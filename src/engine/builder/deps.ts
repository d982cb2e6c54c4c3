/** What the builder is given by the engine, and the vocabulary between the executor and its steps. Types only. */

import type { BuildRequest } from "../api.js";
import type { EngineContext } from "../context.js";
import type { Images } from "../images/index.js";
import type { Storage } from "../storage/index.js";
import type { FileInjection, MountSpec, ProgressListener, Ulimit } from "../types.js";
import type { SourceEntry, SourceTree } from "./context.js";
import type { Place } from "./dockerfile/instructions.js";
import type { ParsedDockerfile } from "./dockerfile/parse.js";
import type { Agent } from "./ssh/index.js";
import type { Stage, StagePlan } from "./stages.js";
import type { StageState } from "./state.js";

/** One RUN: a process in the mounted rootfs with the isolation of a container. */
export interface RunStepRequest {
  /** Unique; fit for a container name. */
  readonly id: string;
  /** Merged folder of the mounted rootfs. */
  readonly rootfs: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly workdir: string;
  readonly mounts: readonly MountSpec[];
  readonly files: readonly FileInjection[];
  readonly network: "default" | "none" | "host";
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits: readonly Ulimit[];
  readonly shmSizeBytes: number | undefined;
  readonly privileged: boolean;
  /** SELinux level of its process, the same as that of the rootfs; "" for none. */
  readonly level: string;
  readonly onOutput: (stream: "stdout" | "stderr", data: Uint8Array) => void;
  readonly signal: AbortSignal | undefined;
}
/** Runs it to its end and leaves nothing behind, also when cancelled (then it throws the abort reason); the exit code. */
export type RunStep = (request: RunStepRequest) => Promise<number>;

/** The part of the images store that building needs. */
export type BuildImages = Pick<Images, "find" | "pull" | "commitLayer" | "createImage" | "holding">;

/** What a build needs of the engine. */
export interface BuildDeps {
  readonly ctx: EngineContext;
  readonly storage: Storage;
  readonly images: BuildImages;
  readonly runStep: RunStep;
}

/** The folder that holds what `tree` shows below `entry`. */
export type VisibleCopies = (tree: SourceTree, entry: SourceEntry) => Promise<string>;

/** One build in progress. */
export interface Build {
  readonly deps: BuildDeps;
  readonly request: BuildRequest;
  /** How errors name the Dockerfile. */
  readonly file: string;
  readonly parsed: ParsedDockerfile;
  readonly plan: StagePlan;
  readonly context: SourceTree;
  /** The tree that `--from=NAME` means for a stage; mounted until the build ends. */
  readonly treeOf: (name: string, stage: Stage) => Promise<NamedTree>;
  /** Copies of what ignore files let through of a folder. */
  readonly visible: VisibleCopies;
  /** What `RUN --mount=type=ssh` may ask for, by id. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** Milliseconds since the epoch: what another build has done since then is no old result. */
  readonly startedAt: number;
  readonly progress: ProgressListener;
  /** First tag, for progress lines. */
  readonly image: string;
  readonly signal: AbortSignal | undefined;
}

/** What a `--from=NAME` leads to. */
export interface NamedTree {
  readonly tree: SourceTree;
  /** Identifies the content when it is an image or stage; "" for folders, whose content is hashed. */
  readonly chainId: string;
}

/** One step about to run. */
export interface StepScope {
  readonly build: Build;
  readonly stage: Stage;
  readonly place: Place;
  /** File named in errors: the Dockerfile, or the image an ONBUILD came from. */
  readonly file: string;
  readonly state: StageState;
  /** Variables and quotes of a word resolved with ENV and ARG as they were before the instruction. */
  readonly expand: (word: string) => string;
  readonly expandText: (text: string) => string;
}
