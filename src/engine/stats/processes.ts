/** Processes of a container as the host's /proc shows them. Reads /proc and cgroup.procs; runs nothing inside the container. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { allPids, processFile, processLink, textOf } from "../../kernel/proc.js";

/** The container that is looked at. */
export interface StatsTarget {
  readonly id: string;
  readonly name: string;
  /** Init's pid on the host; 0 when not running. */
  readonly pid: number;
  /** The container's folder in each hierarchy; empty when it has no cgroup. */
  readonly cgroupFolders: readonly string[];
}

/** What /proc/PID/stat says of a process (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  readonly ppid: number;
  /** Short name, control characters still in it. */
  readonly name: string;
  readonly state: string;
  readonly ttyNumber: number;
  /** Clock ticks. */
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Clock ticks since boot. */
  readonly startTicks: number;
  readonly residentPages: number;
}

/** USER_HZ: fixed at 100 for user space on every architecture Linux runs on today. */
export const TICKS_PER_SECOND = 100;

/** One process from /proc/PID/stat (proc_pid_stat(5)); undefined when it is gone. */
export function readProcess(pid: number): ProcessStat | undefined {
  const text = processFile(pid, "stat");
  if (text === undefined) return undefined;
  // the name may hold blanks and brackets: fields begin after the last one
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  const number = (field: number): number => Number(fields[field - 3] ?? 0);
  return {
    pid,
    ppid: number(4),
    name: text.slice(open + 1, close),
    state: fields[0] ?? "?",
    ttyNumber: number(7),
    userTicks: number(14),
    systemTicks: number(15),
    startTicks: number(22),
    residentPages: number(24),
  };
}

/**
 * Pids of a container: those in its cgroups, else those in its pid namespace, else (host pid namespace) what descends from
 * its init. Zombies are left out.
 */
export function containerPids(initPid: number, cgroupFolders: readonly string[]): number[] {
  const fromCgroup = cgroupFolders.map(cgroupPids).find((pids) => pids.length > 0);
  const pids = fromCgroup ?? namespacePids(initPid) ?? descendants(initPid);
  return pids.filter((pid) => {
    const state = readProcess(pid)?.state;
    return state !== undefined && state !== "Z" && state !== "X";
  });
}

function cgroupPids(folder: string): number[] {
  const text = textOf(join(folder, "cgroup.procs"));
  if (text === undefined) return [];
  const own = text.split("\n").filter(Boolean).map(Number);
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...below.flatMap((entry) => cgroupPids(join(folder, entry.name)))].sort((a, b) => a - b);
}

function namespacePids(initPid: number): number[] | undefined {
  const namespace = processLink(initPid, "ns/pid");
  if (namespace === undefined || namespace === processLink("self", "ns/pid")) return undefined;
  return allPids().filter((pid) => processLink(pid, "ns/pid") === namespace);
}

function descendants(initPid: number): number[] {
  const parents = new Map<number, number>();
  for (const pid of allPids()) {
    const stat = readProcess(pid);
    if (stat !== undefined) parents.set(pid, stat.ppid);
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at))
      if (at === initPid) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow);
}
