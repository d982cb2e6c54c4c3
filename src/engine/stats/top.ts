/** `top`: docker's table of a container's processes, from the host's /proc. Nothing is executed in the container (CVE-2022-1227). */
import { readFileSync } from "node:fs";
import { machineFile, processFile } from "../../kernel/proc.js";
import { printable } from "../../lib/printable.js";
import { containerPids, type ProcessStat, readProcess, type StatsTarget, TICKS_PER_SECOND } from "./processes.js";

const TOP_TITLES: readonly string[] = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

/** The processes as rows of text, by pid. */
export function listProcesses(target: StatsTarget, now = new Date()): { titles: string[]; processes: string[][] } {
  const users = hostUsers();
  const uptime = Number(machineFile("uptime")?.split(" ")[0] ?? 0);
  const rows = containerPids(target.pid, target.cgroupFolders).flatMap((pid) => {
    const stat = readProcess(pid);
    return stat === undefined ? [] : [rowOf(stat, users, uptime, now)];
  });
  return { titles: [...TOP_TITLES], processes: rows };
}

function rowOf(stat: ProcessStat, users: ReadonlyMap<string, string>, uptime: number, now: Date): string[] {
  const uid = /^Uid:\s*\d+\s+(\d+)/m.exec(processFile(stat.pid, "status") ?? "")?.[1] ?? "?";
  const cpuSeconds = (stat.userTicks + stat.systemTicks) / TICKS_PER_SECOND;
  const ageSeconds = Math.max(0, uptime - stat.startTicks / TICKS_PER_SECOND);
  const words = (processFile(stat.pid, "cmdline") ?? "").split("\0");
  if (words.at(-1) === "") words.pop();
  return [
    users.get(uid) ?? uid,
    String(stat.pid),
    String(stat.ppid),
    String(ageSeconds > 0 ? Math.min(99, Math.floor((100 * cpuSeconds) / ageSeconds)) : 0),
    startText(new Date(now.getTime() - ageSeconds * 1000), now),
    ttyName(stat.ttyNumber),
    timeText(Math.floor(cpuSeconds)),
    words.length === 0 ? `[${printable(stat.name)}]` : printable(words.join(" "), 4096),
  ];
}

function hostUsers(): Map<string, string> {
  const users = new Map<string, string>();
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , uid] = line.split(":");
    if (name !== undefined && uid !== undefined && !users.has(uid)) users.set(uid, name);
  }
  return users;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `HH:MM` today, `MonDD` this year, else the year: ps(1)'s STIME. */
function startText(start: Date, now: Date): string {
  if (start.toDateString() === now.toDateString()) return `${two(start.getHours())}:${two(start.getMinutes())}`;
  if (start.getFullYear() !== now.getFullYear()) return String(start.getFullYear());
  const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][start.getMonth()];
  return `${month}${two(start.getDate())}`;
}

/** `[D-]HH:MM:SS`. */
function timeText(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return days === 0 ? clock : `${days}-${clock}`;
}

/** tty_nr: major in bits 15–8, minor in 31–20 and 7–0; majors 136–143 are Unix98 ptys. */
function ttyName(number: number): string {
  if (number === 0) return "?";
  const major = (number >> 8) & 0xff;
  const minor = (number & 0xff) | ((number >>> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  return major === 4 ? `tty${minor}` : "?";
}
