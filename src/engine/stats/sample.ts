/**
 * What a container uses now: from its cgroup (v1, v2, hybrid), or summed over its processes where there is no cgroup of its
 * own (rootless without delegation). One sample per call; rates are the caller's.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { CGROUPS, machineFile, processFile } from "../../kernel/proc.js";
import type { EngineContext } from "../context.js";
import { notRunning } from "../errors.js";
import type { ContainerRow } from "../state/containers.js";
import type { ContainerStats } from "../types.js";
import { readLegacy, readUnified } from "./cgroup-usage.js";
import { sumProcesses } from "./process-usage.js";
import type { StatsTarget } from "./processes.js";
import { listProcesses } from "./top.js";
import { NS_PER_TICK } from "./usage.js";

/**
 * The container's cgroup folders: where its init is now, unless that is not a cgroup of its own (`cgroupPath` is empty, as
 * rootless without delegation). Reads /proc/PID/cgroup (cgroups(7)).
 */
function cgroupFoldersOf(pid: number, cgroupPath: string): string[] {
  if (cgroupPath === "" || pid === 0) return [];
  return (processFile(pid, "cgroup") ?? "").split("\n").flatMap((line) => {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined || !path.startsWith(cgroupPath)) return [];
    if (hierarchy !== "0") return [join(CGROUPS, controllers.replace(/^name=/, ""), path)];
    return [join(CGROUPS, path), join(CGROUPS, "unified", path)];
  });
}

function targetOf(ctx: Pick<EngineContext, "kernel">, row: ContainerRow): StatsTarget {
  const isUp = row.bootId === ctx.kernel.bootId() && ctx.kernel.isAlive({ pid: row.pid, startTime: row.pidStart });
  const pid = isUp ? row.pid : 0;
  return { id: row.id, name: row.name, pid, cgroupFolders: cgroupFoldersOf(pid, row.record.cgroupPath ?? "") };
}

/** One sample of a container's use. */
export function containerStats(ctx: Pick<EngineContext, "kernel">, row: ContainerRow): ContainerStats {
  return sampleStats(targetOf(ctx, row));
}

/** A container's processes, docker's columns. `TSC_CONTAINER_NOT_RUNNING`. */
export function containerTop(
  ctx: Pick<EngineContext, "kernel">,
  row: ContainerRow,
): { titles: string[]; processes: string[][] } {
  const target = targetOf(ctx, row);
  if (target.pid !== 0) return listProcesses(target);
  throw notRunning(row.name);
}

/** A sample. All zero for a container that does not run, as docker has it. */
function sampleStats(target: StatsTarget): ContainerStats {
  const base = {
    id: target.id,
    name: target.name,
    systemNs: systemNanoseconds(),
    onlineCpus: cpus().length,
  };
  if (target.pid === 0) {
    return {
      ...base,
      cpuTotalNs: 0,
      memoryBytes: 0,
      memoryLimitBytes: 0,
      networkRxBytes: 0,
      networkTxBytes: 0,
      blockReadBytes: 0,
      blockWriteBytes: 0,
      pids: 0,
      source: "none",
    };
  }
  const fromCgroup = readUnified(target.cgroupFolders) ?? readLegacy(target.cgroupFolders);
  const usage = fromCgroup ?? sumProcesses(target);
  return { ...base, ...usage, ...networkBytes(target.pid), source: fromCgroup === undefined ? "processes" : "cgroup" };
}

/** All interfaces of the container's network namespace but loopback. */
function networkBytes(pid: number): { networkRxBytes: number; networkTxBytes: number } {
  let networkRxBytes = 0;
  let networkTxBytes = 0;
  for (const line of (processFile(pid, "net/dev") ?? "").split("\n").slice(2)) {
    const [name = "", values = ""] = line.split(":");
    if (name.trim() === "lo" || values === "") continue;
    const fields = values.trim().split(/\s+/).map(Number);
    networkRxBytes += fields[0] ?? 0;
    networkTxBytes += fields[8] ?? 0;
  }
  return { networkRxBytes, networkTxBytes };
}

/** CPU time of the whole machine, idle included: what container shares are measured against. */
function systemNanoseconds(): number {
  const fields = (machineFile("stat")?.split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  return fields.reduce((sum, ticks) => sum + ticks, 0) * NS_PER_TICK;
}
