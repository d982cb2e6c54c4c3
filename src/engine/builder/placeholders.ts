/**
 * What a RUN step's mounts need to stand on where the image has nothing. Made before the step, so that afterwards it is known by its inode
 * from what the step made itself: that stays in the image, whatever its name. BuildKit's steps leave no such stubs either.
 */
import { lstatSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import { cleanPath } from "./dockerignore.js";

/** A place that something is mounted on while a step runs. */
export interface MountPoint {
  /** Absolute, in the step's root. */
  readonly path: string;
  readonly kind: "file" | "directory";
}

/** Where the runtime mounts in every step. */
export const RUNTIME_MOUNT_POINTS: readonly MountPoint[] = [
  { path: "/dev", kind: "directory" },
  { path: "/proc", kind: "directory" },
  { path: "/sys", kind: "directory" },
  { path: "/etc/hosts", kind: "file" },
  { path: "/etc/hostname", kind: "file" },
  { path: "/etc/resolv.conf", kind: "file" },
];

/** A file or folder that is ours. */
export interface Placeholder {
  /** In the root, no leading slash. */
  readonly path: string;
  readonly identity: string;
}

/** Makes the mount points that are missing in a rootfs; `writable` is the folder its changes lie in. Deepest first. */
export function makePlaceholders(
  kernel: Kernel,
  rootfs: string,
  writable: string,
  points: readonly MountPoint[],
): Placeholder[] {
  // what lies below these is in a file system of the runtime's
  const own = points.filter(({ path }) => !/^\/(?:dev|proc|sys)\//.test(path));
  const absent = absentIn(rootfs, own);
  for (const { path, kind } of own) {
    if (!absent.includes(cleanPath(path))) continue;
    try {
      kernel.createMountPoint(rootfs, path, kind);
    } catch (error) {
      // of two mounts where one cannot be: the runtime says which
      if (errnoOf(error) === undefined) throw error;
    }
  }
  return absent.flatMap((path) => {
    const identity = identityOf(join(writable, path));
    return identity === undefined ? [] : { path, identity };
  });
}

/**
 * Removes what is still ours, empty and as it was made. The step's processes are gone, so nobody swaps a folder for a link
 * between look and removal, and a link on the way ends it (CVE-2024-23652).
 */
export function removePlaceholders(rootfs: string, writable: string, placeholders: readonly Placeholder[]): void {
  for (const { path, identity } of placeholders) {
    const parts = path.split("/");
    const isReal = parts.slice(0, -1).every((_, i) => kindOf(join(rootfs, ...parts.slice(0, i + 1))) === "folder");
    if (!isReal || identityOf(join(writable, path)) !== identity) continue;
    const host = join(rootfs, path);
    const kind = kindOf(host);
    try {
      if (kind === "empty-file") unlinkSync(host);
      else if (kind === "folder") rmdirSync(host);
    } catch (error) {
      if (errnoOf(error) !== "ENOTEMPTY") throw error;
    }
  }
}

/** Paths, with the folders above them, that are not there yet; deepest first. Only paths without a link on the way count. */
function absentIn(rootfs: string, points: readonly MountPoint[]): string[] {
  const absent = new Set<string>();
  for (const { path } of points) {
    const parts = cleanPath(path).split("/");
    for (let i = 1; i <= parts.length; i++) {
      const prefix = parts.slice(0, i).join("/");
      const kind = kindOf(join(rootfs, prefix));
      if (kind === "missing") absent.add(prefix);
      else if (kind !== "folder") break;
    }
  }
  return [...absent].sort((a, b) => b.split("/").length - a.split("/").length);
}

/** Which file it is, and what a step may have made of it on purpose. */
function identityOf(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.dev, stat.ino, stat.mode, stat.uid, stat.gid].join(":");
}

function kindOf(path: string): "missing" | "folder" | "empty-file" | "other" {
  try {
    const stat = lstatSync(path);
    if (stat.isDirectory()) return "folder";
    return stat.isFile() && stat.size === 0 ? "empty-file" : "other";
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return "missing";
    throw error;
  }
}
