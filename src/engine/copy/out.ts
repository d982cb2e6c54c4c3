/** Files out of a container, as tar streams. */

import { posix } from "node:path";
import { Readable } from "node:stream";
import { given } from "../../lib/given.js";
import { encodeTarHeader, readTar, TAR_END, tarPadding } from "../../lib/tar.js";
import type { Place } from "../container-tree.js";
import { type CopyDeps, type CopyTarget, missing, openTree } from "./target.js";

/**
 * A tar of a path; its entries begin with the path's last name (`.` for the root). Mounts below a folder come along.
 * `TSC_COPY_NOT_FOUND`. The stream must be read to its end or destroyed.
 */
export async function copyOut(
  deps: CopyDeps,
  target: CopyTarget,
  path: string,
  options: { followLink?: boolean } = {},
): Promise<Readable> {
  const { tree, release } = await openTree(deps, target);
  let place: Place;
  try {
    place = tree.locate(path, options.followLink ?? false);
    if (place.stat === undefined) throw missing(target, path);
  } catch (error) {
    await release();
    throw error;
  }
  const name = posix.basename(posix.resolve("/", path)) || ".";
  async function* entries(): AsyncGenerator<Buffer> {
    try {
      yield* packPlace(deps, place, name);
      if (place.stat?.isDirectory() === true) {
        for (const mount of tree.mountsBelow(place.path)) {
          const inner = tree.place(mount.target);
          if (inner.stat === undefined) continue;
          yield* packPlace(deps, inner, posix.join(name, posix.relative(place.path, mount.target)));
        }
      }
      yield TAR_END;
    } finally {
      await release();
    }
  }
  return Readable.from(entries(), { objectMode: false });
}

/** Entries of one confined folder or file, renamed so that the place itself is called `name`. */
async function* packPlace(deps: CopyDeps, place: Place, name: string): AsyncGenerator<Buffer> {
  const { relative, root } = place;
  if (root === undefined) return;
  const packed = deps.ctx.kernel.packLayer({
    source: root,
    overlay: false,
    ...(relative === "" ? {} : { paths: [relative] }),
  });
  const renamed = (raw: string): string | undefined => {
    const clean = posix.join("/", raw).slice(1).replace(/\/$/, "");
    if (relative === "") return clean === "" ? name : posix.join(name, clean);
    if (clean === relative) return name;
    return clean.startsWith(`${relative}/`) ? posix.join(name, clean.slice(relative.length + 1)) : undefined;
  };
  if (relative === "" && place.stat !== undefined) {
    const { stat } = place;
    yield encodeTarHeader({
      name,
      type: "directory",
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      size: 0,
      mtime: Math.floor(stat.mtimeMs / 1000),
    });
  }
  for await (const { entry, body } of readTar(packed as AsyncIterable<Buffer>)) {
    const next = renamed(entry.name);
    if (next === undefined || (next === name && relative === "")) continue;
    const link = entry.type === "hardlink" ? renamed(entry.linkName ?? "") : entry.linkName;
    yield encodeTarHeader({ ...entry, name: next, ...given({ linkName: link }) });
    for await (const chunk of body) yield chunk;
    yield tarPadding(entry.size);
  }
}

/** Tar of the whole rootfs, without what is mounted over it. */
export async function exportRootfs(deps: CopyDeps, target: CopyTarget): Promise<Readable> {
  const { root, release } = await openTree(deps, target, false);
  async function* content(): AsyncGenerator<Buffer> {
    try {
      yield* deps.ctx.kernel.packLayer({ source: root, overlay: false }) as AsyncIterable<Buffer>;
    } finally {
      await release();
    }
  }
  return Readable.from(content(), { objectMode: false });
}
