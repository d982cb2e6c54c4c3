/** A tar of host files under other names, for copying into a container. Follows no links. */
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { errnoOf } from "../../lib/errors.js";
import { encodeTarHeader, TAR_END } from "../../lib/tar.js";
import { packFile } from "../copy/pack.js";

/** A host path, and what it is called where it is copied to. */
export interface SyncedPath {
  /** On the host. */
  readonly path: string;
  /** In the tar, without a leading slash. */
  readonly name: string;
}

interface Found extends SyncedPath {
  readonly kind: "file" | "directory" | "symlink";
  readonly mode: number;
  readonly mtime: number;
  readonly link: string;
}

/**
 * The tar of what exists (folders with all below them), undefined when nothing does; and the names of what does not. `filesOnly` leaves out
 * folders that would hold nothing.
 */
export async function tarOfPaths(
  paths: readonly SyncedPath[],
  ignores: (path: string) => boolean,
  { filesOnly = false } = {},
): Promise<{ readonly stream: NodeJS.ReadableStream | undefined; readonly missing: string[] }> {
  const found: Found[] = [];
  const missing: string[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    if (!(await collect(path, ignores, found, seen))) missing.push(path.name);
  }
  // A folder's header goes before what it holds.
  const sorted = (filesOnly ? withoutEmptyFolders(found) : found).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { stream: sorted.length === 0 ? undefined : Readable.from(tar(sorted)), missing };
}

function withoutEmptyFolders(found: readonly Found[]): Found[] {
  const filled = new Set<string>();
  for (const { name, kind } of found) {
    if (kind === "directory") continue;
    for (let folder = posix.dirname(name); folder !== "." && !filled.has(folder); folder = posix.dirname(folder)) {
      filled.add(folder);
    }
  }
  return found.filter(({ name, kind }) => kind !== "directory" || filled.has(name));
}

async function collect(
  { path, name }: SyncedPath,
  ignores: (path: string) => boolean,
  found: Found[],
  seen: Set<string>,
): Promise<boolean> {
  if (seen.has(path)) return true;
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return false;
  seen.add(path);
  const base = { path, name, mode: stat.mode & 0o7777, mtime: Math.floor(stat.mtimeMs / 1000), link: "" };
  if (stat.isSymbolicLink()) found.push({ ...base, kind: "symlink", link: await readlink(path) });
  else if (stat.isFile()) found.push({ ...base, kind: "file" });
  else if (stat.isDirectory()) {
    found.push({ ...base, kind: "directory" });
    for (const entry of (await readdir(path)).sort()) {
      const child = join(path, entry);
      if (!ignores(child)) await collect({ path: child, name: `${name}/${entry}` }, ignores, found, seen);
    }
  }
  return true;
}

async function* tar(found: readonly Found[]): AsyncGenerator<Uint8Array> {
  for (const { path, name, kind, mode, mtime, link } of found) {
    const header = { name: kind === "directory" ? `${name}/` : name, mode, mtime, uid: 0, gid: 0 };
    if (kind === "symlink") yield encodeTarHeader({ ...header, type: "symlink", size: 0, linkName: link });
    else if (kind === "directory") yield encodeTarHeader({ ...header, type: "directory", size: 0 });
    else {
      try {
        yield* packFile(path, header);
      } catch (error) {
        // gone, or a link by now: the next batch tells
        if (!["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) throw error;
      }
    }
  }
  yield TAR_END;
}
