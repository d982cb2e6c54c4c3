/** What a host's programs leave to be seen from outside: processes of its own, unfinished work in its folders. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestHost } from "../helpers/host.js";

export interface Found {
  readonly pid: number;
  readonly argv: string;
}

/** Live processes of that name whose arguments, or an ancestor folder, are this host's. */
export function processesOf(host: TestHost, name: string): Found[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const comm = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      if (comm !== name || /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))) return [];
      const argv = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ");
      return argv.includes(host.folder) ? [{ pid: Number(entry), argv }] : [];
    } catch {
      return [];
    }
  });
}

/** What unfinished work may not leave in a store once a command that pulls, builds or prunes has run. */
export function unfinished(host: TestHost): string[] {
  return ["store/images/tmp", "store/storage/tmp", "run/rootfs", "run/netns"].flatMap((name) => {
    const folder = join(host.folder, name);
    return existsSync(folder)
      ? readdirSync(folder)
          .filter((entry) => !entry.startsWith("rootless"))
          .map((entry) => join(name, entry))
      : [];
  });
}
