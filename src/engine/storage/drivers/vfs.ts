/** Whole copies: works everywhere, costs time and space. The last resort. */
import { join } from "node:path";
import type { Kernel } from "../../../kernel/kernel.js";
import { relabelOwn } from "../../selinux/index.js";
import type { Driver } from "./driver.js";
import { succeeded } from "./fuse-overlayfs.js";

/** The copying driver; reflinks are used where the filesystem has them. */
export function vfsDriver(kernel: Kernel): Driver {
  const copy = async (source: string, target: string) => {
    const child = kernel.spawn("/bin/cp", ["-a", "--reflink=auto", "--", `${source}/.`, target], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    await succeeded(child, `copy of ${source}`);
  };
  return {
    name: "vfs",
    whiteouts: "apply",
    cumulative: true,
    async prepare(folder, lower) {
      const { mkdirSync, chmodSync } = await import("node:fs");
      const rootfs = join(folder, "rootfs");
      mkdirSync(rootfs, { mode: 0o755 });
      chmodSync(rootfs, 0o755);
      if (lower[0] !== undefined) await copy(lower[0], rootfs);
    },
    async mount({ folder, target, context }) {
      if (context !== undefined) await relabelOwn(kernel, join(folder, "rootfs"), context);
      kernel.mount(join(folder, "rootfs"), target, "", ["bind"]);
    },
    async mountReadOnly(lower, target) {
      if (lower[0] === undefined) return;
      kernel.mount(lower[0], target, "", ["bind"]);
      kernel.mount("", target, "", ["bind", "remount", "ro"]);
    },
    upperDir: () => undefined,
    writableDir: (folder) => join(folder, "rootfs"),
    async seedLayer(target, parent) {
      if (parent !== undefined) await copy(parent, target);
    },
  };
}
