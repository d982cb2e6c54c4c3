/**
 * Files in and out of containers as tar streams, and images from containers. docker cp's rules about names belong to the
 * command line; here a path is a path inside the container, with its volumes and bind mounts.
 */
import { basename, posix } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { OpenedPath } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { encodeTarHeader, readTar, TAR_END, type TarEntry, TarFormatError, tarPadding } from "../../lib/tar.js";
import { ContainerTree, openMount, type Place } from "../container-tree.js";
import type { EngineContext } from "../context.js";
import type { ContainerRow } from "../state/containers.js";
import type { Storage } from "../storage/index.js";
import { openVolumes } from "../volumes/index.js";

export { type CommitDeps, type CommitOptions, type CommitTarget, commitContainer } from "./commit.js";

export interface CopyDeps {
  readonly ctx: EngineContext;
  readonly storage: Storage;
}

/** What of a container's row copying looks at. */
export type CopyTarget = Pick<ContainerRow, "id" | "name" | "state"> & {
  readonly spec: Pick<ContainerRow["spec"], "rootfs" | "readOnly">;
  readonly record: Pick<ContainerRow["record"], "mounts">;
};

/** Runs `work` over the container's files; the rootfs of one that does not run is mounted for it. */
async function withTree<T>(deps: CopyDeps, target: CopyTarget, work: (tree: ContainerTree) => Promise<T>): Promise<T> {
  const { tree, release } = await openTree(deps, target);
  try {
    return await work(tree);
  } finally {
    await release();
  }
}

async function openTree(
  deps: CopyDeps,
  target: CopyTarget,
  withMounts = true,
): Promise<{ tree: ContainerTree; root: string; release: () => Promise<void> }> {
  const { kernel } = deps.ctx;
  const { rootfs, readOnly = false } = target.spec;
  const isUp = ["running", "paused", "restarting"].includes(target.state);
  const root = rootfs ?? (await deps.storage.mountRootfs(target.id));
  let tree: ContainerTree | undefined;
  const release = async (): Promise<void> => {
    tree?.[Symbol.dispose]();
    if (!isUp && rootfs === undefined) await deps.storage.unmountRootfs(target.id);
  };
  try {
    tree = new ContainerTree(kernel, root, readOnly);
    const volumes = openVolumes(deps.ctx);
    const depth = (path: string): number => path.split("/").filter(Boolean).length;
    const outermostFirst = target.record.mounts.toSorted((a, b) => depth(a.target) - depth(b.target));
    for (const mount of withMounts ? outermostFirst : []) {
      if (mount.type !== "bind" && mount.type !== "volume") continue;
      const whole = mount.type === "volume" ? await volumes.mount(mount.name) : mount.source;
      tree.mount(mount.target, openMount(kernel, whole, mount.subpath), mount.readOnly);
    }
    return { tree, root, release };
  } catch (error) {
    await release();
    throw error;
  }
}

function missing(target: CopyTarget, path: string): TscError {
  return new TscError("TSC_COPY_NOT_FOUND", `no such path in container ${target.name}: ${path}`, { kind: "not-found" });
}

/** What is at a path, or undefined. A link is described, not followed. */
export async function statIn(deps: CopyDeps, target: CopyTarget, path: string) {
  return await withTree(deps, target, async (tree) => {
    const { stat, linkTarget } = tree.locate(path, false);
    if (stat === undefined) return undefined;
    return {
      isDirectory: stat.isDirectory(),
      isSymlink: stat.isSymbolicLink(),
      linkTarget,
      mode: stat.mode & 0o7777,
      sizeBytes: stat.size,
    };
  });
}

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
    yield encodeTarHeader({ ...entry, name: next, ...(link === undefined ? {} : { linkName: link }) });
    for await (const chunk of body) yield chunk;
    yield tarPadding(entry.size);
  }
}

/**
 * Unpacks a tar below an existing folder. Entries belong to root unless `archive`. `TSC_COPY_NOT_FOUND`,
 * `TSC_COPY_NOT_FOLDER`, `TSC_COPY_READ_ONLY`, `TSC_COPY_ARCHIVE` for a broken tar.
 */
export async function copyIn(
  deps: CopyDeps,
  target: CopyTarget,
  path: string,
  tar: NodeJS.ReadableStream,
  options: { archive?: boolean } = {},
): Promise<void> {
  await withTree(deps, target, async (tree) => {
    const folder = tree.locate(path, true);
    if (folder.stat === undefined) throw missing(target, path);
    if (!folder.stat.isDirectory()) {
      throw new TscError("TSC_COPY_NOT_FOLDER", `${path} in container ${target.name} is not a folder`, {
        kind: "invalid-input",
      });
    }
    const sinks = new Map<OpenedPath, { input: PassThrough; done: Promise<unknown> }>();
    const sinkOf = (place: Place): PassThrough => {
      if (place.root === undefined) throw missing(target, place.path);
      const known = sinks.get(place.root);
      if (known !== undefined) return known.input;
      if (place.readOnly) {
        throw new TscError("TSC_COPY_READ_ONLY", `${place.path} in container ${target.name} is read-only`, {
          kind: "denied",
        });
      }
      const input = new PassThrough();
      const done = deps.ctx.kernel.unpackLayer({ target: place.root, whiteouts: "apply", input, compression: "none" });
      // the failure is thrown below; until then it must not count as unhandled
      done.catch(() => {});
      sinks.set(place.root, { input, done });
      return input;
    };
    try {
      for await (const { entry, body } of readTar(tar as AsyncIterable<Buffer>)) {
        await copyEntry(tree, folder, entry, body, sinkOf, options.archive ?? false);
      }
      for (const { input } of sinks.values()) input.end(TAR_END);
    } catch (error) {
      for (const { input } of sinks.values()) input.destroy(error instanceof Error ? error : new Error(String(error)));
      await Promise.allSettled([...sinks.values()].map(({ done }) => done));
      if (!(error instanceof TarFormatError)) throw error;
      throw new TscError("TSC_COPY_ARCHIVE", `copy to ${target.name}:${path}: ${error.message}`, {
        kind: "invalid-input",
      });
    }
    await Promise.all([...sinks.values()].map(({ done }) => done));
  });
}

async function copyEntry(
  tree: ContainerTree,
  folder: Place,
  entry: TarEntry,
  body: AsyncIterable<Buffer>,
  sinkOf: (place: Place) => PassThrough,
  archive: boolean,
): Promise<void> {
  const below = posix.join("/", entry.name);
  if (below === "/") return;
  if (basename(below).startsWith(".wh.")) {
    throw new TscError("TSC_COPY_ARCHIVE", `${entry.name}: names that begin with .wh. cannot be copied`, {
      kind: "unsupported",
    });
  }
  // a mount point inside the tar is the mount: what is below it goes there
  const place = tree.place(posix.join(folder.path, below));
  if (place.relative === "") return;
  const link =
    entry.type === "hardlink" ? tree.place(posix.join(folder.path, posix.join("/", entry.linkName ?? ""))) : undefined;
  if (link !== undefined && link.root !== place.root) {
    throw new TscError("TSC_COPY_ARCHIVE", `${entry.name}: a hard link cannot cross mounts`, { kind: "invalid-input" });
  }
  const sink = sinkOf(place);
  const owner = archive ? {} : { uid: 0, gid: 0 };
  await send(
    sink,
    encodeTarHeader({
      ...entry,
      ...owner,
      name: place.relative,
      ...(link === undefined ? {} : { linkName: link.relative }),
    }),
  );
  for await (const chunk of body) await send(sink, chunk);
  await send(sink, tarPadding(entry.size));
}

async function send(sink: PassThrough, data: Buffer): Promise<void> {
  if (data.length === 0 || sink.write(data)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      sink.off("drain", settle);
      sink.off("close", settle);
      sink.off("error", settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    sink.on("drain", settle);
    // a helper that gave up closes the stream; its own error is reported at the end
    sink.on("close", settle);
    sink.on("error", settle);
  });
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
