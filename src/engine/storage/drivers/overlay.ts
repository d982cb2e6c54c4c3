/** Native overlayfs, rootful (trusted.*) or inside a user namespace (userxattr, kernel ≥ 5.11). */

import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../../kernel/kernel.js";
import { given } from "../../../lib/given.js";
import type { Driver } from "./driver.js";

/**
 * The overlay driver. `empty` is an existing empty folder: overlayfs wants one lower folder at least, and two when there is
 * no upper one.
 */
export function overlayDriver(kernel: Kernel, rootless: boolean, empty: string): Driver {
  const userxattr = rootless ? { userxattr: true } : {};
  return {
    name: "overlay",
    whiteouts: rootless ? "user" : "trusted",
    cumulative: false,
    async prepare(folder, lower) {
      makeOverlayFolders(kernel, folder, lower);
    },
    async mount({ lower, folder, target, context }) {
      await kernel.mountOverlay({
        lower: lower.length === 0 ? [empty] : lower,
        upper: join(folder, "upper"),
        work: join(folder, "work"),
        target,
        ...given({ context }),
        ...userxattr,
      });
    },
    async mountReadOnly(lower, target, context) {
      await kernel.mountOverlay({
        lower: lower.length < 2 ? [...lower, empty, ...(lower.length === 0 ? [empty] : [])] : lower,
        target,
        ...given({ context }),
        ...userxattr,
      });
    },
    upperDir: (folder) => join(folder, "upper"),
    writableDir: (folder) => join(folder, "upper"),
    async seedLayer() {},
  };
}

/** Makes `upper` and `work` in `folder`. The root of an overlay shows the upper folder's mode and owner, so they are the top layer's. */
export function makeOverlayFolders(kernel: Kernel, folder: string, lower: readonly string[]): void {
  const upper = join(folder, "upper");
  mkdirSync(upper, { mode: 0o755 });
  mkdirSync(join(folder, "work"), { mode: 0o700 });
  const top = lower[0] === undefined ? undefined : lstatSync(`${lower[0]}/`);
  if (top !== undefined && (top.uid !== 0 || top.gid !== 0)) kernel.chown(upper, top.uid, top.gid);
  // mkdir is subject to the umask, chmod is not
  chmodSync(upper, top === undefined ? 0o755 : top.mode & 0o7777);
}
