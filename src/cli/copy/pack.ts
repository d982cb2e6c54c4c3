/** A local file or folder as a tar stream, read as it is sent. */
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { encodeTarHeader, TAR_END, tarPadding } from "../../lib/tar.js";

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
    yield encodeTarHeader({ ...common, name, type: "file", size: info.size });
    // a file that grows meanwhile is cut to the size announced; one that shrinks is filled with zeros
    let left = info.size;
    if (left > 0) {
      for await (const chunk of createReadStream(path, { end: info.size - 1 })) {
        const data: Buffer = chunk;
        left -= data.length;
        yield data;
      }
    }
    for (; left > 0; left -= Math.min(left, 65536)) yield Buffer.alloc(Math.min(left, 65536));
    yield tarPadding(info.size);
  } else if (info.isFIFO()) yield encodeTarHeader({ ...common, name, type: "fifo", size: 0 });
}
