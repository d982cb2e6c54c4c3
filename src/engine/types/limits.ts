/** What a container may use and share, and what watches it. */

/** Whose namespace of a kind a container is in. */
export type NamespaceMode =
  | { readonly kind: "private" }
  | { readonly kind: "host" }
  | { readonly kind: "shareable" }
  | { readonly kind: "container"; readonly container: string };

/** A health check, docker's; absent fields are the image's or docker's defaults. */
export interface Healthcheck {
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`. */
  readonly test: readonly string[];
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly startPeriodMs?: number;
  readonly startIntervalMs?: number;
}

/** When a container that has ended is started again. */
export interface RestartPolicy {
  readonly policy: "no" | "always" | "on-failure" | "unless-stopped";
  /** For `on-failure`; 0 is without limit. */
  readonly maxRetries?: number;
}

/** A limit of a container's processes, by setrlimit(2)'s name in small letters. */
export interface Ulimit {
  readonly name: string;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** A device of the host in a container. */
export interface DeviceSpec {
  readonly source: string;
  readonly target: string;
  /** Subset of `rwm`. */
  readonly permissions: string;
}

/** Limits of a container's cgroup. */
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

/** Where a container's output goes. */
export interface LoggingSpec {
  /** `k8s-file` (default; `json-file` and `local` are accepted as names for it) or `none`. */
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}
