/** File systems in memory that the engine mounts for a container. */
import { mkdirSync } from "node:fs";
import type { Kernel } from "../kernel/kernel.js";
import { labelOption } from "./selinux/index.js";

/** A file system in memory, and where. */
interface TmpfsRequest {
  /** What mount(8) shows as its source. */
  readonly name: string;
  readonly folder: string;
  /** Permission bits of its root, in octal. */
  readonly mode: string;
  /** tmpfs(5)'s words for how much it may hold. */
  readonly size: string | number;
  /** SELinux label of all that is in it. */
  readonly label: string | undefined;
}

/** Mounts it unless something is mounted in its folder, which is made 0700 when it is not there. Errors are the kernel's (`code`). */
export function mountTmpfs(kernel: Kernel, { name, folder, mode, size, label }: TmpfsRequest): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (kernel.isMountPoint(folder)) return;
  const options = `mode=${mode},size=${size}${labelOption(label)}`;
  kernel.mount(name, folder, "tmpfs", ["nosuid", "nodev", "noexec"], options);
}
