/** What one sample has, wherever it comes from. */
import { TICKS_PER_SECOND } from "./processes.js";

/** Nanoseconds of a clock tick of /proc. */
export const NS_PER_TICK = 1_000_000_000 / TICKS_PER_SECOND;

/** What a container uses. */
export interface Usage {
  readonly cpuTotalNs: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly blockReadBytes: number;
  readonly blockWriteBytes: number;
  readonly pids: number;
}
