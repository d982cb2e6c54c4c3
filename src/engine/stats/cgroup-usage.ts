/** What a container uses, as its cgroup counts it. */
import { totalmem } from "node:os";
import { basename, join } from "node:path";
import { textOf } from "../../kernel/proc.js";
import type { Usage } from "./usage.js";

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

/** From cgroup v2; undefined when none of the folders is one. */
export function readUnified(folders: readonly string[]): Usage | undefined {
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

/** From cgroup v1; undefined when its memory or cpuacct hierarchy is not among the folders. */
export function readLegacy(folders: readonly string[]): Usage | undefined {
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
