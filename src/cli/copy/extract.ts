/**
 * Unpacks a tar from a container onto this machine. The archive is hostile: names never leave the folder, links already on disk are
 * not followed below it, devices are not made.
 */
import { createWriteStream } from "node:fs";
import { chmod, lchown, link, lstat, mkdir, rm, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { errnoOf, TscError } from "../../lib/errors.js";
import { readTar, type TarEntry } from "../../lib/tar.js";

/** Where an archive goes, and what of its owners is kept. */
export interface ExtractOptions {
  /** Existing local folder. */
  readonly folder: string;
  /** Replaces the archive's top name; `.` puts the content straight into `folder`. */
  readonly name: string;
  /** Keep uid and gid (needs the right to). */
  readonly archive: boolean;
}

/** Files are written with their mode and time; setuid and setgid bits are dropped unless owners are kept. `TSC_COPY_UNSAFE` for a name that escapes. */
export async function extractTar(tar: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<void> {
  let top: string | undefined;
  const folders: { readonly path: string; readonly entry: TarEntry }[] = [];
  for await (const { entry, body } of readTar(tar)) {
    const parts = safeParts(entry.name);
    top ??= parts[0] ?? "";
    const renamed = rebase(parts, top, options.name);
    const path = join(options.folder, ...renamed);
    await checkParents(options.folder, renamed);
    if (entry.type === "directory") {
      await makeFolder(path);
      folders.push({ path, entry });
      continue;
    }
    if (renamed.length === 0) throw unsafe(entry.name);
    await mkdir(dirname(path), { recursive: true });
    if (entry.type === "file") {
      await removeUnlessFile(path);
      await pipeline(body, createWriteStream(path));
      await applyMeta(path, entry, options);
    } else if (entry.type === "symlink") {
      await rm(path, { force: true });
      await symlink(entry.linkName ?? "", path);
      if (options.archive) await lchown(path, entry.uid, entry.gid);
    } else if (entry.type === "hardlink") {
      const target = rebase(safeParts(entry.linkName ?? ""), top, options.name);
      await checkParents(options.folder, target);
      const source = join(options.folder, ...target);
      // a hard link to a link would let a later entry write through it
      if ((await lstat(source)).isSymbolicLink()) throw unsafe(entry.name);
      await rm(path, { force: true });
      await link(source, path);
    }
  }
  if (top === undefined) {
    throw new TscError("TSC_COPY_NOT_FOUND", "the container sent an empty archive", { kind: "not-found" });
  }
  // last, so that a read-only folder can be filled first and keeps its time
  for (const { path, entry } of folders.toReversed()) await applyMeta(path, entry, options);
}

function safeParts(name: string): readonly string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || name.includes("\0")) throw unsafe(name);
  return parts;
}

function rebase(parts: readonly string[], top: string, name: string): readonly string[] {
  const rest = parts[0] === top ? parts.slice(1) : parts;
  return name === "." ? rest : [name, ...rest];
}

/** Every existing part between the folder and the entry must be a real folder. */
async function checkParents(folder: string, parts: readonly string[]): Promise<void> {
  let path = folder;
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    const info = await lstat(path).catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    });
    if (info === undefined) return;
    if (!info.isDirectory()) throw unsafe(path);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") await mkdir(path, { recursive: true });
    else if (errnoOf(error) !== "EEXIST" || !(await lstat(path)).isDirectory()) throw error;
  }
}

async function removeUnlessFile(path: string): Promise<void> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isDirectory() === true) {
    throw new TscError("TSC_COPY_CONFLICT", `cannot overwrite directory ${path} with a file`, { kind: "conflict" });
  }
  if (info !== undefined && !info.isFile()) await rm(path, { force: true });
}

async function applyMeta(path: string, entry: TarEntry, options: ExtractOptions): Promise<void> {
  if (options.archive) await lchown(path, entry.uid, entry.gid);
  await chmod(path, entry.mode & (options.archive ? 0o7777 : 0o1777));
  await utimes(path, entry.mtime, entry.mtime);
}

function unsafe(name: string): TscError {
  return new TscError("TSC_COPY_UNSAFE", `archive entry ${JSON.stringify(name)} would leave the target folder`, {
    kind: "denied",
  });
}
