/**
 * /proc and /sys, whose paths nothing outside this folder builds: processes, settings and facts of the machine, as text. Reads and writes
 * what it is told; decides nothing.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../lib/errors.js";

/** A process, or the one that asks. */
export type Pid = number | "self";

/** Where a process's file lies, for whoever hands it on to the kernel or another program. */
export function processPath(pid: Pid, name: string): string {
  return `/proc/${pid}/${name}`;
}

/** A file of a process. Throws with the errno when it is gone. */
export function readProcessFile(pid: Pid, name: string): string {
  return readFileSync(processPath(pid, name), "utf8");
}

/** A file of a process; undefined when either is gone or not for us. */
export function processFile(pid: Pid, name: string): string | undefined {
  return textOf(processPath(pid, name));
}

/** Where a link of a process leads (`ns/net`); undefined when either is gone or not for us. */
export function processLink(pid: Pid, name: string): string | undefined {
  return orUndefined(() => readlinkSync(processPath(pid, name)));
}

/** Names in a folder of a process (`fd`); none when either is gone or not for us. */
export function processNames(pid: Pid, name: string): string[] {
  return orUndefined(() => readdirSync(processPath(pid, name))) ?? [];
}

/** Pids of every process, ascending. */
export function allPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** A file of /proc about the machine (`stat`, `net/route`); undefined when it is not there. */
export function machineFile(name: string): string | undefined {
  return textOf(join("/proc", name));
}

/** Where a kernel setting lies; segments by `/` (`net/ipv4/ip_forward`). */
function settingPath(name: string): string {
  return join(SETTINGS, name);
}

/** The setting (`net.ipv4.ip_forward`) that a path names; undefined for any other path. */
export function settingAt(path: string): string | undefined {
  return path.startsWith(`${SETTINGS}/`) ? path.slice(SETTINGS.length + 1).replaceAll("/", ".") : undefined;
}

const SETTINGS = "/proc/sys";

/** Whether this kernel, in this namespace, has the setting or the folder of settings. */
export function hasSetting(name: string): boolean {
  return existsSync(settingPath(name));
}

/** A setting's value without its line end; undefined when it is not there or not for us. */
export function setting(name: string): string | undefined {
  return textOf(settingPath(name))?.trim();
}

/** Names in a folder of settings. Throws with the errno. */
export function settingsIn(name: string): string[] {
  return readdirSync(settingPath(name));
}

/** Writes a setting. Throws with the errno. */
export function writeSetting(name: string, value: string): void {
  writeFileSync(settingPath(name), value);
}

/** Where control groups are mounted. */
export const CGROUPS = "/sys/fs/cgroup";

/** Where SELinux is asked and told. */
export const SELINUX_FILES = "/sys/fs/selinux";

/** Names in a folder of /sys; none when it is not there or not for us. */
export function sysNames(name: string): string[] {
  return orUndefined(() => readdirSync(join("/sys", name))) ?? [];
}

/** A file of /sys; undefined when it is not there or not for us. */
export function sysFile(name: string): string | undefined {
  return textOf(join("/sys", name));
}

/** Whether /sys has this file or folder. */
export function hasSysFile(name: string): boolean {
  return existsSync(join("/sys", name));
}

/** The text of a file that may be gone at any time (a process's, a cgroup's); undefined when it is, or not for us. */
export function textOf(path: string): string | undefined {
  return orUndefined(() => readFileSync(path, "utf8"));
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
