/**
 * Mount targets without links. Runtimes look a target up again, some of them by path on the host's side: an image whose /dev is a link has
 * made them write to and delete from the host (CVE-2019-19921, CVE-2021-30465, CVE-2023-27561, CVE-2024-45310, CVE-2026-41579). So
 * every target is looked up here, inside the container's files, and what is handed on holds no link: the file systems of the
 * runtime itself are refused behind one, what was asked for goes where the link leads in the container, as with docker.
 */

import { statSync } from "node:fs";
import { posix } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf, messageOf, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { ContainerTree, openMount } from "../container-tree.js";
import type { OciConfig, OciMount } from "./oci/types.js";

/** What the runtime fills and works in before the container's root is its root. */
const RUNTIME_FOLDERS = ["/proc", "/sys", "/dev"];

/**
 * The config with link-free mount targets, made where a link led to nothing. Costs a look at each path when there are no links.
 * `TSC_ROOTFS_LINK` for a link at or above /proc, /sys, /dev or a device; `TSC_MOUNT_TARGET` for one that leads there, or where none can be made.
 */
export function settleTargets(kernel: Kernel, container: string, rootfs: string, config: OciConfig): OciConfig {
  const settled: OciMount[] = [];
  for (const mount of config.mounts) settled.push(settle(kernel, container, rootfs, settled, mount));
  for (const { path } of config.linux.devices ?? []) {
    if (!isBelow(path, "/dev") && meetsLink(kernel, rootfs, settled, path)) throw refusal(container, path);
  }
  return { ...config, mounts: settled };
}

function settle(
  kernel: Kernel,
  container: string,
  rootfs: string,
  before: readonly OciMount[],
  mount: OciMount,
): OciMount {
  const { destination } = mount;
  if (!meetsLink(kernel, rootfs, before, destination)) return mount;
  if (RUNTIME_FOLDERS.some((folder) => destination === folder || isBelow(destination, folder))) {
    throw refusal(container, destination);
  }
  using tree = new ContainerTree(kernel, rootfs);
  for (const { source, type, destination: target } of before) {
    tree.mount(target, type === "bind" ? openMount(kernel, source) : { folder: undefined, file: "" }, false);
  }
  const place = tree.locate(destination, true);
  const forbidden = ["/", ...RUNTIME_FOLDERS].includes(place.path) || isBelow(place.path, "/proc", "/sys");
  if (forbidden) throw unusable(container, destination, `a link leads to ${place.path}`);
  if (place.root !== undefined && place.stat === undefined) {
    const isFile = mount.type === "bind" && !statSync(mount.source).isDirectory();
    try {
      kernel.createMountPoint(place.root.path, place.relative, isFile ? "file" : "directory");
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw unusable(container, destination, `${place.path} cannot be made: ${messageOf(error)}`, error);
    }
  }
  return { ...mount, destination: place.path };
}

/** Whether a link is on the way to a path, in the rootfs or in the bind mount that the path lies in. File systems made for the container hold none. */
function meetsLink(kernel: Kernel, rootfs: string, before: readonly OciMount[], path: string): boolean {
  const outer = before.findLast(({ destination }) => isBelow(path, destination));
  if (outer === undefined) return kernel.hasLink(rootfs, path);
  if (outer.type !== "bind" || !statSync(outer.source).isDirectory()) return false;
  return kernel.hasLink(outer.source, posix.relative(outer.destination, path));
}

function isBelow(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

function refusal(container: string, path: string): TscError {
  return new TscError("TSC_ROOTFS_LINK", `container ${container}: ${path} is or lies behind a symbolic link`, {
    kind: "denied",
    hint: "such an image can make the runtime write to the host; use one where it is a folder",
    exitCode: 125,
  });
}

function unusable(container: string, target: string, reason: string, cause?: unknown): TscError {
  return new TscError("TSC_MOUNT_TARGET", `container ${container}: mount target ${target}: ${reason}`, {
    kind: "invalid-input",
    exitCode: 125,
    ...given({ cause }),
  });
}
