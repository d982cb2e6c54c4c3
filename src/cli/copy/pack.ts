/** A local file or folder as a tar stream, read as it is sent. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { encodeTarHeader, TAR_END, type TarEntry, tarPadding } from "../../lib/tar.js";

/** How an archive names its top entry and whose its entries are. */
export interface PackOptions {
  /** Name of the top entry in the archive; `.` packs a folder's content. */
  readonly name: string;
  /** Keep uid and gid; else everything belongs to 0:0. */
  readonly archive: boolean;
}

/** Links are kept as links. Sockets are left out, as docker does. */
export async function* packPath(path: string, options: PackOptions): AsyncGenerator<Buffer> {
  yield* packEntry(path, options.name, options);
  yield TAR_END;
}

async function* packEntry(path: string, name: string, options: PackOptions): AsyncGenerator<Buffer> {
  const info = await lstat(path);
  const common = {
    mode: info.mode & 0o7777,
    uid: options.archive ? info.uid : 0,
    gid: options.archive ? info.gid : 0,
    mtime: Math.floor(info.mtimeMs / 1000),
  };
  if (info.isDirectory()) {
    if (name !== ".") yield encodeTarHeader({ ...common, name: `${name}/`, type: "directory", size: 0 });
    for (const child of (await readdir(path)).toSorted()) {
      yield* packEntry(join(path, child), name === "." ? child : `${name}/${child}`, options);
    }
  } else if (info.isSymbolicLink()) {
    yield encodeTarHeader({ ...common, name, type: "symlink", size: 0, linkName: await readlink(path) });
  } else if (info.isFile()) {
    yield* packFile(path, { ...common, name });
  } else if (info.isFIFO()) yield encodeTarHeader({ ...common, name, type: "fifo", size: 0 });
}

const PIECE = 256 << 10;

/**
 * Header and content of a regular file; a link is not followed. What grows meanwhile is cut to the size announced, what shrinks is
 * filled with zeros. Read synchronously, a piece at a time: for thousands of small files the detours through threads are what costs.
 */
export function* packFile(
  path: string,
  header: Pick<TarEntry, "name" | "mode" | "uid" | "gid" | "mtime">,
): Generator<Buffer> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(file);
    yield encodeTarHeader({ ...header, type: "file", size });
    for (let left = size; left > 0; ) {
      const piece = Buffer.alloc(Math.min(left, PIECE));
      readSync(file, piece);
      left -= piece.length;
      yield piece;
    }
    yield tarPadding(size);
  } finally {
    closeSync(file);
  }
}
