/** What can be done with containers. */
import type {
  ContainerInfo,
  ContainerSpec,
  ContainerStats,
  ExecSpec,
  LogLine,
  LogOptions,
  NetworkAttachment,
  StdioSession,
} from "../types.js";
import type { LabelFilter } from "./filter.js";

/** What can be done with containers. An `id` is an id, a unique prefix of one, or a name; `TSC_CONTAINER_NOT_FOUND`, `TSC_CONTAINER_AMBIGUOUS`. */
export interface ContainersApi {
  /** Makes the container (rootfs, bundle, record) without starting it; the id. Undone whole on failure. */
  create(spec: ContainerSpec): Promise<string>;
  /** Network, mounts, conmon, runtime create and start. Error `TSC_CONTAINER_START` carries the runtime's reason (exitCode 125–127). */
  start(id: string): Promise<void>;
  /** Sends the stop signal, then SIGKILL after the grace time. No-op when not running. Marks "stopped by user". */
  stop(id: string, options?: { timeoutMs?: number; signal?: string }): Promise<void>;
  restart(id: string, options?: { timeoutMs?: number }): Promise<void>;
  kill(id: string, signal?: string): Promise<void>;
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  /** `force` kills first; `volumes` removes anonymous volumes. Missing containers are `TSC_CONTAINER_NOT_FOUND`. */
  remove(id: string, options?: { force?: boolean; volumes?: boolean }): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /**
   * Sees to it that what a container needs of the supervisor (health checks, restarts, its log) is watched, whatever happened to the watch or the supervisor. For whoever
   * waits for what they report. `TSC_SUPERVISOR` when it cannot be.
   */
  mend(id: string): Promise<void>;
  /** Resolves with the exit code when it is next not running. */
  wait(id: string, signal?: AbortSignal): Promise<number>;
  /** Those with all the labels; every one without a filter. */
  list(filter?: LabelFilter): Promise<ContainerInfo[]>;
  /** By id, unique id prefix or name. */
  inspect(idOrName: string): Promise<ContainerInfo>;
  logs(id: string, options?: LogOptions): AsyncIterable<LogLine>;
  /** Attach before `start` to see everything. */
  attach(id: string, options?: { stdin?: boolean }): Promise<StdioSession>;
  exec(id: string, spec: ExecSpec): Promise<StdioSession>;
  top(id: string): Promise<{ titles: string[]; processes: string[][] }>;
  stats(id: string): Promise<ContainerStats>;
  connectNetwork(id: string, attachment: NetworkAttachment): Promise<void>;
  disconnectNetwork(id: string, network: string): Promise<void>;
  /** Live change of restart policy or resources. */
  update(id: string, change: Pick<ContainerSpec, "restart" | "resources">): Promise<void>;
  /** A tar of `path` inside the container. */
  copyOut(id: string, path: string, options?: { followLink?: boolean }): Promise<NodeJS.ReadableStream>;
  /** Unpacks a tar under folder `path` inside the container. `followLinks`: a folder that is a link there is filled where it leads. */
  copyIn(
    id: string,
    path: string,
    tar: NodeJS.ReadableStream,
    options?: { archive?: boolean; followLinks?: boolean },
  ): Promise<void>;
  /** Takes files and folders away inside the container, running or not; what is missing, or a mount, stays as it is. */
  removePaths(id: string, paths: readonly string[]): Promise<void>;
  /** What is at `path` inside the container, or undefined. */
  stat(
    id: string,
    path: string,
  ): Promise<
    { isDirectory: boolean; isSymlink: boolean; linkTarget: string; mode: number; sizeBytes: number } | undefined
  >;
  /** Tar of the whole rootfs. */
  export(id: string): Promise<NodeJS.ReadableStream>;
  /** New image from the container's changes; the image id. */
  commit(
    id: string,
    options: { reference?: string; author?: string; message?: string; changes?: readonly string[]; pause?: boolean },
  ): Promise<string>;
}
