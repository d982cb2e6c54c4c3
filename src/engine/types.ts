/**
 * The engine's public vocabulary: plain data that callers pass in and get back. No behaviour here.
 * Words follow the OCI and CNI specifications. Times are ISO 8601 UTC strings with nanoseconds kept as
 * given; durations are milliseconds (`…Ms`); sizes are bytes (`…Bytes`). Nothing here knows compose.
 */

export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
export type HealthState = "none" | "starting" | "healthy" | "unhealthy";

export interface BindMount {
  readonly type: "bind";
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
  readonly propagation?: string;
  /** Make the source folder when it is missing (docker's default for short syntax). */
  readonly createHostPath?: boolean;
  readonly recursive?: "enabled" | "disabled" | "writable" | "readonly";
  readonly selinux?: "z" | "Z";
  /** What of the source is mounted; links in it are resolved inside the source. */
  readonly subpath?: string;
}
export interface VolumeMount {
  readonly type: "volume";
  /** Volume name; an empty string asks for a new anonymous volume. */
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
  /** Do not copy the image's content into a fresh volume. */
  readonly noCopy?: boolean;
  readonly subpath?: string;
  /** Labels of an anonymous volume made for this mount. */
  readonly labels?: Readonly<Record<string, string>>;
}
export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  readonly sizeBytes?: number;
  readonly mode?: number;
  /** Raw mount options (`noexec`, `uid=1000` …), checked against an allow-list. */
  readonly options?: readonly string[];
  readonly readOnly?: boolean;
}
export interface ImageMount {
  readonly type: "image";
  readonly source: string;
  readonly target: string;
  readonly subpath?: string;
}
export type MountSpec = BindMount | VolumeMount | TmpfsMount | ImageMount;

/** A file the engine writes for the container (compose secrets and configs): tmpfs-backed, never in the image. */
export interface FileInjection {
  readonly target: string;
  /** Exactly one of `content`, `sourcePath` and `held` is given; a folder may be given as `sourcePath`. */
  readonly content?: string;
  readonly sourcePath?: string;
  /** Content that was given to a container before: what a container's info says in place of it. */
  readonly held?: { readonly container: string; readonly index: number };
  /** Without an owner the file is the container's user's. A `sourcePath` without owner and mode is bound as it is. */
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits; 0o444 when absent. */
  readonly mode?: number;
}

export interface NetworkAttachment {
  readonly network: string;
  readonly aliases?: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocalIps?: readonly string[];
  readonly mac?: string;
  readonly interfaceName?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
  /** Higher connects first. */
  readonly priority?: number;
  /** Highest gives the default gateway. */
  readonly gatewayPriority?: number;
}

/** One published port after range expansion. `hostPort` 0 asks the engine for a free one. */
export interface PortMapping {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Empty means all addresses. */
  readonly hostIp: string;
}

export type NamespaceMode =
  | { readonly kind: "private" }
  | { readonly kind: "host" }
  | { readonly kind: "shareable" }
  | { readonly kind: "container"; readonly container: string };

export type NetworkMode =
  | { readonly kind: "bridge" }
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string };

export interface Healthcheck {
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`. */
  readonly test: readonly string[];
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly startPeriodMs?: number;
  readonly startIntervalMs?: number;
}

export interface RestartPolicy {
  readonly policy: "no" | "always" | "on-failure" | "unless-stopped";
  /** For `on-failure`; 0 is without limit. */
  readonly maxRetries?: number;
}

export interface Ulimit {
  readonly name: string;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

export interface DeviceSpec {
  readonly source: string;
  readonly target: string;
  /** Subset of `rwm`. */
  readonly permissions: string;
}

export interface Resources {
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** Memory plus swap; -1 is unlimited. */
  readonly memorySwapBytes?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly pidsLimit?: number;
  readonly cpus?: number;
  readonly cpuShares?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuRealtimeRuntimeUs?: number;
  readonly cpuRealtimePeriodUs?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly blkioWeight?: number;
  readonly blkioWeightDevice?: readonly { readonly path: string; readonly weight: number }[];
  readonly blkioThrottle?: readonly {
    readonly kind: "readBps" | "writeBps" | "readIops" | "writeIops";
    readonly path: string;
    readonly rate: number;
  }[];
}

export interface LoggingSpec {
  /** `k8s-file` (default; `json-file` and `local` are accepted as names for it) or `none`. */
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

/** Everything needed to make a container. Only `name` and `image` (or `rootfs`) are required. */
export interface ContainerSpec {
  readonly name: string;
  /** Reference or id; resolved once at create. */
  readonly image: string;
  /** undefined = the image's; an empty array clears it. */
  readonly entrypoint?: readonly string[];
  /** undefined or empty = the image's, unless there is an entrypoint. */
  readonly command?: readonly string[];
  /** A null value removes a variable that the image sets. */
  readonly env?: Readonly<Record<string, string | null>>;
  readonly workingDir?: string;
  readonly user?: string;
  readonly groupAdd?: readonly string[];
  readonly hostname?: string;
  readonly domainname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  readonly stdinOpen?: boolean;
  /** Close stdin when the first attached client leaves (docker run -i without -d). */
  readonly stdinOnce?: boolean;
  readonly mounts?: readonly MountSpec[];
  readonly volumesFrom?: readonly { readonly container: string; readonly readOnly: boolean }[];
  readonly files?: readonly FileInjection[];
  readonly networkMode?: NetworkMode;
  readonly networks?: readonly NetworkAttachment[];
  readonly ports?: readonly PortMapping[];
  /** Ports declared but not published. */
  readonly expose?: readonly string[];
  readonly pid?: NamespaceMode;
  readonly ipc?: NamespaceMode;
  readonly uts?: NamespaceMode;
  /** Absent: as docker decides, private with cgroup v2. */
  readonly cgroup?: { readonly kind: "private" | "host" };
  readonly cgroupParent?: string;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly securityOpt?: readonly string[];
  readonly readOnly?: boolean;
  readonly devices?: readonly DeviceSpec[];
  /** CDI names, `vendor/class=name`. */
  readonly cdiDevices?: readonly string[];
  readonly deviceCgroupRules?: readonly string[];
  readonly resources?: Resources;
  readonly ulimits?: readonly Ulimit[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly shmSizeBytes?: number;
  readonly oomScoreAdj?: number;
  readonly init?: boolean;
  readonly restart?: RestartPolicy;
  /** undefined = the image's. */
  readonly healthcheck?: Healthcheck;
  readonly stopSignal?: string;
  readonly stopTimeoutMs?: number;
  readonly logging?: LoggingSpec;
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** Lines for /etc/hosts; `host-gateway` is accepted as an address. */
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  /** Names under which this container alone knows others: lines for /etc/hosts with their addresses on networks both share. */
  readonly links?: readonly { readonly container: string; readonly names: readonly string[] }[];
  /** Name of an OCI runtime: `crun`, `runc` …, or one that TSCOMPOSE_RUNTIMES gives a path. */
  readonly runtime?: string;
  readonly platform?: string;
  /** Remove the container (and its anonymous volumes) once it exits. */
  readonly autoRemove?: boolean;
  /** The command that makes it removes it when it has ended; if that command is killed before, a later one does. */
  readonly removedByMaker?: boolean;
  /** Run from this folder instead of an image. */
  readonly rootfs?: string;
  readonly noHosts?: boolean;
}

export interface NetworkEndpoint {
  readonly network: string;
  readonly interfaceName: string;
  readonly ipv4: string;
  readonly ipv4PrefixLength: number;
  readonly gateway: string;
  readonly ipv6: string;
  readonly ipv6PrefixLength: number;
  readonly ipv6Gateway: string;
  readonly mac: string;
  readonly aliases: readonly string[];
}

export interface HealthLogEntry {
  readonly start: string;
  readonly end: string;
  readonly exitCode: number;
  readonly output: string;
}

/** What a container is now, as the kernel and the state database say. */
export interface ContainerInfo {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  /** `sha256:…` of the image config; empty for a rootfs container. */
  readonly imageId: string;
  readonly imageName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly createdAt: string;
  /** Empty when never started / still running. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** It ended with an earlier boot of the machine, and docker would start it with its daemon: its restart policy says so. */
  readonly awaitsBoot?: boolean;
  readonly health: HealthState;
  readonly healthFailingStreak: number;
  readonly healthLog: readonly HealthLogEntry[];
  readonly networks: readonly NetworkEndpoint[];
  readonly ports: readonly PortMapping[];
  /** Resolved mounts; volumes carry their real name and host path. */
  readonly mounts: readonly ResolvedMount[];
  readonly hasHealthcheck: boolean;
  /** The merged health check. */
  readonly healthcheck?: Healthcheck;
  /** The image's config as it was at create. */
  readonly image?: ImageConfig;
  /** The merged command line: entrypoint then command. */
  readonly argv: readonly string[];
  readonly logPath: string;
  /** SELinux labels of its processes and its files, and the AppArmor profile of its last start; absent for none. */
  readonly processLabel?: string;
  readonly mountLabel?: string;
  readonly apparmorProfile?: string;
}

export interface ResolvedMount {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Volume name, or empty. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly anonymous: boolean;
}

export interface NetworkSubnet {
  readonly subnet: string;
  readonly gateway?: string;
  readonly ipRange?: string;
  readonly auxAddresses?: Readonly<Record<string, string>>;
}
export interface NetworkSpec {
  readonly name: string;
  /** A name of `network/drivers`; the default one without. */
  readonly driver?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
  readonly internal?: boolean;
  readonly enableIpv4?: boolean;
  readonly enableIpv6?: boolean;
  readonly subnets?: readonly NetworkSubnet[];
  readonly labels?: Readonly<Record<string, string>>;
  /** No name resolution on this network. */
  readonly disableDns?: boolean;
  readonly dns?: readonly string[];
}
export interface NetworkInfo {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly subnets: readonly NetworkSubnet[];
  readonly bridge: string;
  readonly createdAt: string;
  readonly options: Readonly<Record<string, string>>;
  /** Containers attached now: id → endpoint. */
  readonly containers: Readonly<Record<string, NetworkEndpoint>>;
}

export interface VolumeSpec {
  readonly name: string;
  readonly driver?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
}
export interface VolumeInfo {
  readonly name: string;
  readonly driver: string;
  readonly driverOpts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mountpoint: string;
  readonly createdAt: string;
  readonly anonymous: boolean;
}

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
export type ProgressListener = (event: ProgressEvent) => void;

export interface ExecSpec {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly tty?: boolean;
  /** Keep stdin open for the process. */
  readonly stdin?: boolean;
  readonly privileged?: boolean;
  readonly detach?: boolean;
  readonly size?: { readonly rows: number; readonly columns: number };
}

/** A live connection to a container's or an exec's stdio. Output must be consumed or the container stalls. */
export interface StdioSession extends AsyncDisposable {
  readonly output: AsyncIterable<{ readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }>;
  /** Resolves once the bytes are accepted (back-pressure). */
  write(data: Uint8Array): Promise<void>;
  endInput(): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
  /** For exec: the exit code. For attach: the container's exit code; never rejects because of a detach (`undefined`). */
  readonly exit: Promise<number | undefined>;
  /** Leave without ending the process. */
  detach(): Promise<void>;
}

export interface LogLine {
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  /** Without the line end. */
  readonly text: string;
  /** The process has not ended this line yet. */
  readonly partial: boolean;
}
export interface LogOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly since?: string;
  readonly until?: string;
  readonly signal?: AbortSignal;
}

export interface EngineEvent {
  readonly type: "container" | "image" | "network" | "volume";
  /** docker's names: create start die stop kill oom destroy health_status exec_create pause unpause restart rename attach connect disconnect pull tag … */
  readonly action: string;
  readonly id: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch, as a decimal string. */
  readonly timeNano: string;
}

export interface ContainerStats {
  readonly id: string;
  readonly name: string;
  readonly cpuTotalNs: number;
  readonly systemNs: number;
  readonly onlineCpus: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly networkRxBytes: number;
  readonly networkTxBytes: number;
  readonly blockReadBytes: number;
  readonly blockWriteBytes: number;
  readonly pids: number;
  /** Where the numbers come from: without a cgroup they are summed over the living processes and less exact. */
  readonly source?: "cgroup" | "processes" | "none";
}

/** User ids `inside`… of a namespace are `outside`… to whoever made it. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly length: number;
}

/** A program that is not on this machine. */
export interface MissingProgram {
  readonly name: string;
  /** What it does for us. */
  readonly why: string;
  /** The command that installs it, for root. */
  readonly install: string;
  /** Only some compose files need it. */
  readonly optional?: boolean;
}
