/** Gives files of the host the label of a container. By descriptor: what is labelled is what was opened, whatever swaps names meanwhile. */
import { readlinkSync } from "node:fs";
import type { Kernel, OpenedPath } from "../../kernel/kernel.js";
import { errnoOf, messageOf, TscError } from "../../lib/errors.js";
import { readRegularFile } from "../../lib/read-file.js";
import { homesIn, keepsItsLabel } from "./kept-folders.js";

/**
 * Labels a file, or a folder with all that is in its own mount. A file system without labels is left as it is. `TSC_RELABEL` for a folder
 * that the host needs as it is, and when a file may not be labelled.
 */
export async function relabel(
  kernel: Kernel,
  { root, path }: { readonly root: string; readonly path: string },
  label: string,
  home: string | undefined,
): Promise<void> {
  using opened = kernel.openInRoot(root, path);
  const real = readlinkSync(opened.path);
  const accounts = readRegularFile("/etc/passwd", 1 << 20)?.toString() ?? "";
  const homes = [...(home?.startsWith("/") === true ? [home] : []), ...homesIn(accounts)];
  if (keepsItsLabel(opened, real, homes)) {
    throw new TscError("TSC_RELABEL", `SELinux relabeling of ${real} is not allowed`, {
      kind: "invalid-input",
      hint: "mount a folder below it, leave :z and :Z out, or say security_opt: [label=disable]",
      exitCode: 125,
    });
  }
  await relabelOpened(kernel, opened, path, label);
}

/** As `relabel`, for what is ours. */
export async function relabelOwn(kernel: Kernel, path: string, label: string): Promise<void> {
  using opened = kernel.openInRoot("/", path);
  await relabelOpened(kernel, opened, path, label);
}

async function relabelOpened(kernel: Kernel, opened: OpenedPath, path: string, label: string): Promise<void> {
  try {
    // A folder has its label when all in it was given it, so this is all that later starts do.
    if (kernel.fileLabel(opened) !== label) await kernel.relabelTree(opened, label);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOTSUP" || code === "EOPNOTSUPP") return;
    throw new TscError("TSC_RELABEL", `${path} cannot be labelled ${label}: ${messageOf(error)}`, {
      kind: "unavailable",
      cause: error,
      hint: "label it by hand (chcon -R), leave :z and :Z out, or say security_opt: [label=disable]",
      exitCode: 125,
    });
  }
}
