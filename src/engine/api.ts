/** The engine as callers see it: interfaces only. `Engine.open` in `index.ts` returns the real one. */
import type { DiskUsage, PrunePlan, PruneRequest } from "./disk/types.js";
import type {
  ContainerInfo,
  ContainerSpec,
  ContainerStats,
  EngineEvent,
  ExecSpec,
  IdRange,
  ImageInfo,
  LogLine,
  LogOptions,
  MissingProgram,
  NetworkAttachment,
  NetworkInfo,
  NetworkSpec,
  ProgressListener,
  StdioSession,
  VolumeInfo,
  VolumeSpec,
} from "./types.js";

export interface EngineOptions {
  /** Store root; default /var/lib/tscompose or $XDG_DATA_HOME/tscompose. */
  readonly root?: string;
  /** Runtime folder (tmpfs); default /run/tscompose or $XDG_RUNTIME_DIR/tscompose. */
  readonly runRoot?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the built native programs; default: found beside this package. */
  readonly nativeDir?: string;
  /** argv prefix that runs the tscompose program (for the supervisor); default: Node and dist/main.cjs of this package. */
  readonly selfCommand?: readonly string[];
  /** Called with one-line warnings for the person. */
  readonly warn?: (message: string) => void;
}

export interface LabelFilter {
  /** Only those carrying every label; an undefined value asks for presence. */
  readonly labels?: Readonly<Record<string, string | undefined>>;
}

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

export interface PullOptions {
  readonly platform?: string;
  /**
   * What becomes of the name when another image has it. `yield` (default): an image for this machine keeps or takes it, one for another
   * machine stands beside it. `leave`: whoever has it keeps it.
   */
  readonly names?: "yield" | "leave";
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}
export interface ImagesApi {
  /** Always asks the registry; skips what is stored already. */
  pull(reference: string, options?: PullOptions): Promise<ImageInfo>;
  push(
    reference: string,
    options?: { onProgress?: ProgressListener; signal?: AbortSignal },
  ): Promise<{ digest: string }>;
  /** Pushes files as an OCI artifact; with `images`, also those images and an index of them. */
  pushArtifact(request: ArtifactRequest): Promise<{ digest: string }>;
  /** Reads an OCI artifact's files whole (at most 64 MiB); nothing is stored. */
  fetchArtifact(
    reference: string,
    options?: { signal?: AbortSignal },
  ): Promise<{ readonly digest: string; readonly files: readonly ArtifactFile[] }>;
  /**
   * By id, id prefix, name[:tag] or name@digest; undefined when not stored. Where several images share the name, the one for `platform`;
   * the answer may be for another when that one is not stored.
   */
  find(reference: string, platform?: string): Promise<ImageInfo | undefined>;
  /** Like `find`, but `TSC_IMAGE_NOT_FOUND`. */
  inspect(reference: string, platform?: string): Promise<ImageInfo>;
  list(): Promise<ImageInfo[]>;
  /** Unpacked bytes of an image's layers, base first. */
  layerSizes(reference: string): Promise<readonly number[]>;
  tag(source: string, target: string): Promise<void>;
  /** Untags; removes the image and unshared layers with its last name. `TSC_IMAGE_IN_USE` unless forced. */
  remove(reference: string, options?: { force?: boolean }): Promise<{ untagged: string[]; deleted: string[] }>;
  /** docker-archive or oci-archive file (plain or compressed); names of loaded images. */
  load(path: string, options?: { onProgress?: ProgressListener; signal?: AbortSignal }): Promise<string[]>;
  /** oci-archive + manifest.json that `docker load` reads too. */
  save(references: readonly string[], path: string): Promise<void>;
  /** Digest the registry has for a reference now, `sha256:…`; nothing is stored. */
  resolveDigest(reference: string): Promise<string>;
  build(request: BuildRequest): Promise<ImageInfo>;
  /** Reads the Dockerfile as `build` would and runs nothing; throws what is wrong with it. */
  checkBuild(request: BuildRequest): Promise<{ readonly file: string; readonly stages: number }>;
}

/** One file of an artifact. */
export interface ArtifactFile {
  readonly mediaType: string;
  readonly data: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ArtifactRequest {
  /** Where to: `registry/path[:tag]`. */
  readonly reference: string;
  /** `artifactType` of the manifest (OCI 1.1). */
  readonly artifactType: string;
  /** Media type of the empty config that stands for it in OCI 1.0. */
  readonly emptyConfigType: string;
  readonly files: readonly ArtifactFile[];
  /** Without it 1.1, and 1.0 when the registry refuses that. */
  readonly ociVersion?: "1.0" | "1.1";
  /** Names of stored images to send along. */
  readonly images?: readonly string[];
  /** Of the index of images. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

export interface BuildRequest {
  /** Absolute folder. */
  readonly context: string;
  /** Relative to the context or absolute; default `Dockerfile` (then `Containerfile`). */
  readonly dockerfile?: string;
  readonly dockerfileInline?: string;
  readonly tags: readonly string[];
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly platform?: string;
  /** One of several builds that share their names: an image for this machine has them, the others stand beside it. */
  readonly beside?: boolean;
  readonly network?: string;
  readonly shmSizeBytes?: number;
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly secrets?: readonly { readonly id: string; readonly sourcePath?: string; readonly content?: string }[];
  /** What `RUN --mount=type=ssh` may ask for. */
  readonly ssh?: readonly SshForward[];
  readonly additionalContexts?: Readonly<Record<string, string>>;
  /** What the caller lets RUN steps ask for: the host's network, every capability. `network: "host"` is a grant of the first by itself. */
  readonly allow?: readonly Entitlement[];
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** Keys, or an agent, that steps may sign with, by the id that they name. */
export interface SshForward {
  readonly id: string;
  /** Absolute: private keys, or one agent's socket. None: the agent of SSH_AUTH_SOCK. */
  readonly paths: readonly string[];
}

/** BuildKit's words. */
export type Entitlement = "network.host" | "security.insecure";

export interface NetworksApi {
  /**
   * Brings the kernel's links, rules, namespaces and the helpers back to what running containers need, whoever took them away. What had
   * to be joined again is told as a warning.
   */
  mend(): Promise<void>;
  /** `TSC_NETWORK_EXISTS`, `TSC_NETWORK_SUBNET_TAKEN`. */
  create(spec: NetworkSpec): Promise<NetworkInfo>;
  /** `TSC_NETWORK_IN_USE` while containers are attached; `TSC_NETWORK_NOT_FOUND`. */
  remove(name: string): Promise<void>;
  inspect(name: string): Promise<NetworkInfo>;
  find(name: string): Promise<NetworkInfo | undefined>;
  list(filter?: LabelFilter): Promise<NetworkInfo[]>;
}

export interface VolumesApi {
  /** Returns the existing one unchanged when the name is taken by the same driver; else `TSC_VOLUME_EXISTS`. */
  create(spec: VolumeSpec): Promise<VolumeInfo>;
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  inspect(name: string): Promise<VolumeInfo>;
  find(name: string): Promise<VolumeInfo | undefined>;
  list(filter?: LabelFilter): Promise<VolumeInfo[]>;
}

/** Which registry, and which file of credentials instead of those that are looked through. */
export interface LoginTarget {
  /** `host[:port][/namespace]`; "docker.io" is docker's hub. */
  readonly registry: string;
  readonly authFile?: string;
  /** Plain http or an unchecked certificate is fine. */
  readonly insecure?: boolean;
}

export interface LoginsApi {
  /** Asks the registry, then keeps the login: where, and whether it is encrypted there. `TSC_REGISTRY_UNAUTHORIZED`, `TSC_REGISTRY_CREDENTIALS`. */
  login(
    request: LoginTarget & { readonly username: string; readonly password: string },
  ): Promise<{ readonly place: string; readonly encrypted: boolean }>;
  /** The user name of a stored login that the registry takes. */
  existing(request: LoginTarget): Promise<string | undefined>;
  /** The user name of a stored login; nobody is asked. */
  userOf(request: LoginTarget): Promise<string | undefined>;
  /** Forgets a login, without `registry` all; the places it was in. */
  logout(request: Partial<LoginTarget>): Promise<readonly string[]>;
  /** Registries with a stored login. */
  known(authFile?: string): Promise<readonly string[]>;
}

export interface DiskApi {
  /** What is stored, what it takes and what each noun's prune would free. */
  usage(signal?: AbortSignal): Promise<DiskUsage>;
  /** What `prune` would remove, without removing anything. */
  plan(request: PruneRequest, signal?: AbortSignal): Promise<PrunePlan>;
  /** Removes it; what was removed. What came into use meanwhile stays. */
  prune(request: PruneRequest, signal?: AbortSignal): Promise<PrunePlan>;
}

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

export interface EngineApi extends AsyncDisposable {
  readonly containers: ContainersApi;
  readonly images: ImagesApi;
  readonly networks: NetworksApi;
  readonly volumes: VolumesApi;
  readonly events: EventsApi;
  readonly disk: DiskApi;
  readonly logins: LoginsApi;
  info(): Promise<SystemInfo>;
  /** Which confinement this host gives containers; the most important first. */
  security(): Promise<readonly SecurityFinding[]>;
  /** Held until disposed; serialises commands on one name (a project). `onWait` is called once if somebody holds it. */
  lock(name: string, options?: { onWait?: (holder: string) => void; signal?: AbortSignal }): Promise<AsyncDisposable>;
  /** Removes everything: containers (killed), networks, helpers, the store and the run root. The engine is closed afterwards. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
