/** What a container is asked to be, and what it is. */

import type { ImageConfig } from "./image.js";
import type {
  DeviceSpec,
  Healthcheck,
  LoggingSpec,
  NamespaceMode,
  Resources,
  RestartPolicy,
  Ulimit,
} from "./limits.js";
import type { FileInjection, MountSpec, ResolvedMount } from "./mounts.js";
import type { NetworkAttachment, NetworkEndpoint, NetworkMode, PortMapping } from "./network.js";

/** docker's words for what a container does. */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** docker's words for a container's health; `none` without a health check. */
export type HealthState = "none" | "starting" | "healthy" | "unhealthy";

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

/** One probe of a health check. */
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
