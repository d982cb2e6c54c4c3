/**
 * Files given to a container from outside its image (compose secrets and configs). While it runs, content lies on a tmpfs below
 * the run folder and is bound into the container; it never reaches the image. Between runs it is kept as `kept.ts` says.
 */
import type { Stats } from "node:fs";
import { chmod, copyFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { mountTmpfs } from "../tmpfs.js";
import type { StoredSpec } from "./kept.js";

/** A file or folder to bind. */
export interface InjectedBind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** Most that is kept in memory for one container. */
const MAX_TMPFS = "64m";

/** What is put where, and whose it is. */
export interface InjectRequest {
  /** Where files lie that are not bound from where they are. */
  readonly folder: string;
  readonly files: NonNullable<StoredSpec["files"]>;
  /** What is held of the file with that index. */
  readonly contentOf: (index: number, target: string) => Buffer;
  /** The path by which a source of the host is used. */
  readonly safeSource: (path: string) => string;
  /** Owns what asks for no other owner. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** What SELinux shows of them. */
  readonly label?: string | undefined;
}

/**
 * Writes the files and says what to bind where. A source folder, and a source file whose owner and mode are not changed, are bound
 * themselves, so that they stay live. `TSC_FILE_SOURCE` when a source cannot be read.
 */
export async function injectFiles(kernel: Kernel, request: InjectRequest): Promise<InjectedBind[]> {
  const { folder, files, contentOf, safeSource, user, label } = request;
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
      mountTmpfs(kernel, { name: "tmpfs", folder, mode: "0700", size: MAX_TMPFS, label });
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
