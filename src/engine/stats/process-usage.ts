/** What a container uses, summed over its processes. */
import { totalmem } from "node:os";
import { processFile } from "../../kernel/proc.js";
import { containerPids, readProcess, type StatsTarget } from "./processes.js";
import { NS_PER_TICK, type Usage } from "./usage.js";

const PAGE_BYTES = 4096;

/** Living processes only: time of those that ended is in their parents' children fields, which init's reaping keeps. */
export function sumProcesses(target: StatsTarget): Usage {
  const pids = containerPids(target.pid, []);
  let ticks = 0;
  let pages = 0;
  let blockReadBytes = 0;
  let blockWriteBytes = 0;
  let tasks = 0;
  for (const pid of pids) {
    const stat = readProcess(pid);
    if (stat === undefined) continue;
    ticks += stat.userTicks + stat.systemTicks;
    pages += stat.residentPages;
    const io = processFile(pid, "io") ?? "";
    blockReadBytes += Number(/^read_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
    blockWriteBytes += Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
    tasks += Number(/^Threads:\s*(\d+)$/m.exec(processFile(pid, "status") ?? "")?.[1] ?? 1);
  }
  return {
    cpuTotalNs: ticks * NS_PER_TICK,
    memoryBytes: pages * PAGE_BYTES,
    memoryLimitBytes: totalmem(),
    blockReadBytes,
    blockWriteBytes,
    pids: tasks,
  };
}
