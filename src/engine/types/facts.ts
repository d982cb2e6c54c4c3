/** What the engine tells of itself: events, samples, and what the machine lacks. */

/** Something that happened in the store. */
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

/** One sample of what a container uses; counters grow since its start. */
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
