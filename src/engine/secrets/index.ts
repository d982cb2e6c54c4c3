/**
 * Files given to a container from outside its image (compose secrets and configs). While it runs, content lies on a tmpfs below
 * the run folder and is bound into the container; it never reaches the image. Between runs it is kept as `kept.ts` says.
 */
import type { Stats } from "node:fs";
import { chmod, copyFile, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { labelOption } from "../selinux/index.js";
import type { StoredSpec } from "./kept.js";

export { keepParts, keptContent, keptEnv, requiredEnv, type StoredSpec, splitSpec } from "./kept.js";

/** A file or folder to bind. */
export interface InjectedBind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** Most that is kept in memory for one container. */
const MAX_TMPFS = "64m";

/**
 * Writes the files below `folder` and says what to bind where; `contentOf` gives what is held of the file with that index, `user` owns what
 * asks for no other owner, `safeSource` gives the
 * path by which a source is used, `label` is what SELinux shows of them. A source folder, and a source file whose owner and mode
 * are not changed, are bound themselves, so that they stay live. `TSC_FILE_SOURCE` when a source cannot be read.
 */
export async function injectFiles(
  kernel: Kernel,
  folder: string,
  files: NonNullable<StoredSpec["files"]>,
  contentOf: (index: number, target: string) => Buffer,
  safeSource: (path: string) => string,
  user: { readonly uid: number; readonly gid: number },
  label?: string,
): Promise<InjectedBind[]> {
  const binds: InjectedBind[] = [];
  let isMounted = false;
  for (const [index, file] of files.entries()) {
    let source = "";
    const keepsOwner = file.uid === undefined && file.gid === undefined && file.mode === undefined;
    if (file.held === undefined) {
      const named = file.sourcePath ?? "";
      let found: Stats;
      try {
        source = safeSource(named);
        found = await stat(source);
      } catch (cause) {
        const reason = errnoOf(cause) ?? "cannot be read";
        throw new TscError("TSC_FILE_SOURCE", `file for ${file.target}: ${named}: ${reason}`, {
          kind: "not-found",
          cause,
          exitCode: 125,
        });
      }
      if (found.isDirectory() || keepsOwner) {
        binds.push({ source, target: file.target, readOnly: true });
        continue;
      }
    }
    if (!isMounted) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (!kernel.isMountPoint(folder)) {
        kernel.mount(
          "tmpfs",
          folder,
          "tmpfs",
          ["nosuid", "nodev", "noexec"],
          `mode=0700,size=${MAX_TMPFS}${labelOption(label)}`,
        );
      }
      isMounted = true;
    }
    const path = join(folder, String(index));
    if (file.held !== undefined) await writeFile(path, contentOf(index, file.target), { mode: 0o400 });
    else await copyFile(source, path);
    kernel.chown(path, file.uid ?? user.uid, file.gid ?? user.gid);
    await chmod(path, file.mode ?? 0o444);
    binds.push({ source: path, target: file.target, readOnly: true });
  }
  return binds;
}

/** Takes the files away; nothing there is no error. */
export async function removeInjectedFiles(kernel: Kernel, folder: string): Promise<void> {
  kernel.unmount(folder, { detach: true });
}
