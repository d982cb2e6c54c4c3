/** Runs tscompose on a machine that lacks some files: overlays with whiteouts in a mount namespace of their own. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Result, type TestHost, TSCOMPOSE, testUser } from "./host.js";

/** `tscompose ARGS` as the host's user, with `paths` (absolute, existing) not there. Needs root. */
export function runWithout(
  host: TestHost,
  cwd: string,
  paths: readonly string[],
  args: readonly string[],
): Promise<Result> {
  const layers = new Map<string, string>();
  const place = mkdtempSync(join(host.folder, "hidden-"));
  for (const path of paths) {
    if (!existsSync(path)) throw new Error(`${path} is not there and cannot be hidden`);
    const folder = dirname(path);
    const layer = layers.get(folder) ?? join(place, String(layers.size));
    layers.set(folder, layer);
    mkdirSync(layer, { recursive: true });
    execFileSync("mknod", [join(layer, basename(path)), "c", "0", "0"]);
  }
  execFileSync("chmod", ["-R", "a+rX", place]);
  const mounts = [...layers].map(([folder, layer]) => `mount -t overlay -o lowerdir=${layer}:${folder} none ${folder}`);
  return runAfterMounts(host, cwd, mounts, [TSCOMPOSE, ...args]);
}

/** Shell lines that make every cgroup read-only, as in many containers. */
export const CGROUPS_READ_ONLY: readonly string[] = [
  "for folder in /sys/fs/cgroup/*/ /sys/fs/cgroup; do ! mountpoint -q $folder || mount -o remount,bind,ro $folder; done",
];
/** Shell lines that take every cgroup away. */
export const CGROUPS_HIDDEN: readonly string[] = [
  "umount -l /sys/fs/cgroup",
  "mount -t tmpfs -o ro none /sys/fs/cgroup",
];

/** Any program as the host's user in a mount namespace of its own, after shell lines that root runs there. */
export function runAfterMounts(
  host: TestHost,
  cwd: string,
  mounts: readonly string[],
  argv: readonly string[],
): Promise<Result> {
  const user = host.mode === "user" ? testUser() : undefined;
  const drop = user === undefined ? "" : `setpriv --reuid ${user.uid} --regid ${user.gid} --clear-groups`;
  const script = `set -e\n${mounts.join("\n")}\nexec ${drop} "$@"`;
  const child = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", script, "sh", ...argv], {
    cwd,
    env: host.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => {
    stdout += data;
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data;
  });
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (code) => {
      clearTimeout(timer);
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        done({ code: code ?? 137, stdout, stderr });
      }, 20);
    });
  });
}
