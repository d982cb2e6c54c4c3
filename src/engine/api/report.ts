/** What the engine tells of itself and of this machine. */
import type { EngineEvent, IdRange, MissingProgram } from "../types.js";
import type { LabelFilter } from "./filter.js";

/** What happens in the store, whoever does it. */
export interface EventsApi {
  /** Stored events since a time, then live ones until `until` or the signal. */
  stream(
    options?: { since?: string; until?: string; signal?: AbortSignal; follow?: boolean } & LabelFilter,
  ): AsyncIterable<EngineEvent>;
}

/** What `tscompose info` prints: probed facts and the choices made from them. */
export interface SystemInfo {
  readonly rootless: boolean;
  /** User ids of this namespace and what they are outside of it; one whole range for root. */
  readonly userIds: readonly IdRange[];
  readonly root: string;
  readonly runRoot: string;
  readonly storageDriver: string;
  readonly ociRuntime: string;
  /** Why that runtime and that cgroup mode were chosen. */
  readonly ociRuntimeReason: string;
  readonly cgroups: "v1" | "v2" | "hybrid";
  readonly cgroupManager: string;
  readonly network: string;
  readonly hostname: string;
  /** Name and version of the distribution, of os-release. */
  readonly operatingSystem: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly containers: number;
  /** Paused ones are among them. */
  readonly containersRunning: number;
  readonly containersPaused: number;
  readonly images: number;
  readonly components: readonly { readonly name: string; readonly path: string; readonly version: string }[];
  readonly warnings: readonly string[];
  readonly missing: readonly MissingProgram[];
}

/** One confinement, runtime or kernel setting, judged. */
export interface SecurityFinding {
  readonly name: string;
  /** `missing`: containers go without; `advice`: it could be stronger. */
  readonly state: "ok" | "advice" | "missing";
  readonly value: string;
  /** What it is for. */
  readonly why: string;
  /** What to do, unless it is ok. */
  readonly advice?: string;
}
