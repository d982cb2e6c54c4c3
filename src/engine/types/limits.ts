/** What a container may use and share, and what watches it. */

export type NamespaceMode =
  | { readonly kind: "private" }
  | { readonly kind: "host" }
  | { readonly kind: "shareable" }
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
