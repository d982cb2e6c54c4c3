/**
 * What a container uses now: from its cgroup (v1, v2, hybrid), or summed over its processes where there is no cgroup of its
 * own (rootless without delegation). One sample per call; rates are the caller's.
 */
import { cpus, totalmem } from "node:os";
import { basename, join } from "node:path";
import { CGROUPS, machineFile, processFile, textOf } from "../../kernel/proc.js";
import type { EngineContext } from "../context.js";
import { notRunning } from "../errors.js";
import type { ContainerRow } from "../state/containers.js";
import type { ContainerStats } from "../types.js";
import { containerPids, readProcess, type StatsTarget, TICKS_PER_SECOND } from "./processes.js";
import { listProcesses } from "./top.js";

const PAGE_BYTES = 4096;
const NS_PER_TICK = 1_000_000_000 / TICKS_PER_SECOND;

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

interface Usage {
  readonly cpuTotalNs: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly blockReadBytes: number;
  readonly blockWriteBytes: number;
  readonly pids: number;
}

/** `KEY VALUE` lines. */
function keyed(text: string | undefined): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text?.split("\n") ?? []) {
    const [key, value] = line.split(" ");
    if (key !== undefined && value !== undefined) values.set(key, Number(value));
  }
  return values;
}

function limit(text: string | undefined): number {
  const value = Number(text?.trim());
  const total = totalmem();
  // "max", v1's huge page-aligned number and anything above the machine all mean: no limit
  return Number.isFinite(value) && value > 0 && value < total ? value : total;
}

function readUnified(folders: readonly string[]): Usage | undefined {
  const folder = folders.find((path) => textOf(join(path, "memory.current")) !== undefined);
  if (folder === undefined) return undefined;
  const read = (file: string): string | undefined => textOf(join(folder, file));
  const inactive = keyed(read("memory.stat")).get("inactive_file") ?? 0;
  let blockReadBytes = 0;
  let blockWriteBytes = 0;
  for (const [, bytes] of (read("io.stat") ?? "").matchAll(/\brbytes=(\d+)/g)) blockReadBytes += Number(bytes);
  for (const [, bytes] of (read("io.stat") ?? "").matchAll(/\bwbytes=(\d+)/g)) blockWriteBytes += Number(bytes);
  return {
    cpuTotalNs: (keyed(read("cpu.stat")).get("usage_usec") ?? 0) * 1000,
    memoryBytes: Math.max(0, Number(read("memory.current")) - inactive),
    memoryLimitBytes: limit(read("memory.max")),
    blockReadBytes,
    blockWriteBytes,
    pids: Number(read("pids.current") ?? 0),
  };
}

function readLegacy(folders: readonly string[]): Usage | undefined {
  // a hierarchy's folder is named after its controllers: /sys/fs/cgroup/cpu,cpuacct/…
  const read = (controller: string, file: string): string | undefined => {
    for (const folder of folders) {
      const [, , , , hierarchy = ""] = folder.split("/");
      if (!basename(hierarchy).split(",").includes(controller)) continue;
      const text = textOf(join(folder, file));
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const usage = read("memory", "memory.usage_in_bytes");
  const cpu = read("cpuacct", "cpuacct.usage");
  if (usage === undefined || cpu === undefined) return undefined;
  const inactive = keyed(read("memory", "memory.stat")).get("total_inactive_file") ?? 0;
  const block = read("blkio", "blkio.throttle.io_service_bytes_recursive") ?? "";
  const sum = (kind: string): number =>
    [...block.matchAll(new RegExp(`^\\d+:\\d+ ${kind} (\\d+)$`, "gm"))].reduce(
      (total, [, bytes]) => total + Number(bytes),
      0,
    );
  return {
    cpuTotalNs: Number(cpu),
    memoryBytes: Math.max(0, Number(usage) - inactive),
    memoryLimitBytes: limit(read("memory", "memory.limit_in_bytes")),
    blockReadBytes: sum("Read"),
    blockWriteBytes: sum("Write"),
    pids: Number(read("pids", "pids.current") ?? 0),
  };
}

/** Living processes only: time of those that ended is in their parents' children fields, which init's reaping keeps. */
function sumProcesses(target: StatsTarget): Usage {
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
