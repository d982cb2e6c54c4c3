/**
 * Looks whether what was asked for as read-only became so, in the mount table of the created container, before anything of it runs. Kernels
 * before 5.12 and older OCI runtimes leave what is mounted below a read-only mount writable, and do not say so.
 */

import { type MountLine, readMounts } from "../../kernel/mount-table.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { ContainerRow } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import type { RecordedMount } from "./record.js";

/** A place where something is mounted, and whether it can be written. */
export interface SeenMount {
  readonly path: string;
  readonly writable: boolean;
}

/**
 * `TSC_MOUNT_WRITABLE` when a read-only mount is writable, or something below one with `recursive: readonly`; a warning for what is
 * writable below the others. Costs nothing for containers without read-only mounts.
 */
export function checkReadOnly(deps: RuntimeDeps, row: ContainerRow, rootfs: string, pid: number): void {
  const { warn } = deps.ctx;
  const placed = row.record.mounts.map((mount) => ({ mount, isChecked: mount.readOnly && mount.type !== "tmpfs" }));
  if (!placed.some(({ isChecked }) => isChecked)) return;
  const seen = uppermost(readMounts(pid));
  const places = new Set(seen.map(({ path }) => path));
  const targets = row.record.mounts.map(({ target }) => (places.has(target) ? target : resolved(deps, rootfs, target)));
  placed.forEach(({ mount, isChecked }, index) => {
    if (!isChecked) return;
    const [path = ""] = targets.slice(index);
    const others = targets.filter((_target, other) => other !== index);
    const open = writableAt(seen, path, others);
    const isOpen = open.includes(path);
    if (isOpen || (mount.recursive === "readonly" && open.length > 0)) {
      throw new TscError(
        "TSC_MOUNT_WRITABLE",
        `container ${row.name}: ${isOpen ? mount.target : `${open.join(", ")} below ${mount.target}`} cannot be made read-only here`,
        { kind: "unsupported", hint: "Linux 5.12 and crun 1.4 or runc 1.1 can", exitCode: 125 },
      );
    }
    if (open.length > 0 && mount.recursive !== "writable") {
      warn(`container ${row.name}: ${open.join(", ")} stays writable below the read-only ${mount.target}`);
    }
  });
}

/**
 * `TSC_MOUNT_RECURSIVE` where `recursive: disabled` cannot be had: mount_namespaces(7) keeps together, in a user namespace, what was
 * mounted before it, so that nobody sees what a file system covers.
 */
export function checkAlone(deps: RuntimeDeps, row: ContainerRow, mount: RecordedMount): void {
  if (!deps.ctx.rootless || mount.recursive !== "disabled") return;
  const below = readMounts("self").find(({ path }) => path.startsWith(`${mount.source}/`));
  if (below === undefined) return;
  throw new TscError(
    "TSC_MOUNT_RECURSIVE",
    `container ${row.name}: mount ${mount.target}: recursive: disabled is not possible for an ordinary user while ${below.path} is mounted below it`,
    { kind: "unsupported", hint: "leave recursive out, or unmount it first", exitCode: 125 },
  );
}

/** Where a target lies when links of the image lead to it; as it is when it lies inside another mount. */
function resolved({ ctx }: RuntimeDeps, rootfs: string, target: string): string {
  try {
    using opened = ctx.kernel.openInRoot(rootfs, target);
    return `/${opened.within}`;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return target;
  }
}

/** One mount for each place, and whether it can be written: a later one covers the earlier. */
export function uppermost(lines: readonly MountLine[]): readonly SeenMount[] {
  return [...new Map(lines.map(({ path, options }) => [path, { path, writable: !options.includes("ro") }])).values()];
}

/** Writable mounts at `path` and below, without what lies at or below one of `others` (they are asked for by themselves). */
export function writableAt(seen: readonly SeenMount[], path: string, others: readonly string[]): readonly string[] {
  const isBelow = (at: string, top: string): boolean => at === top || at.startsWith(`${top}/`);
  const nested = others.filter((other) => other !== path && isBelow(other, path));
  return seen
    .filter(({ path: at, writable }) => writable && isBelow(at, path) && !nested.some((other) => isBelow(at, other)))
    .map(({ path: at }) => at);
}
