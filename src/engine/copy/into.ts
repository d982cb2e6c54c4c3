/** Files into containers, and away from them. */
import { basename, posix } from "node:path";
import { PassThrough } from "node:stream";
import type { OpenedPath } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { encodeTarHeader, readTar, TAR_END, type TarEntry, TarFormatError, tarPadding } from "../../lib/tar.js";
import type { ContainerTree, Place } from "../container-tree.js";
import { type CopyDeps, type CopyTarget, missing, withTree } from "./target.js";

/**
 * Unpacks a tar below an existing folder. Entries belong to root unless `archive`. `TSC_COPY_NOT_FOUND`,
 * `TSC_COPY_NOT_FOLDER`, `TSC_COPY_READ_ONLY`, `TSC_COPY_ARCHIVE` for a broken tar. Links of folders on the way are followed inside the container,
 * as the container would; a folder onto something else is `TSC_COPY_CONFLICT`, as in docker, unless `followLinks` fills what a link leads to.
 */
export async function copyIn(
  deps: CopyDeps,
  target: CopyTarget,
  path: string,
  tar: NodeJS.ReadableStream,
  options: { archive?: boolean; followLinks?: boolean } = {},
): Promise<void> {
  await withTree(deps, target, async (tree) => {
    const folder = tree.locate(path, true);
    if (folder.stat === undefined) throw missing(target, path);
    if (!folder.stat.isDirectory()) {
      throw new TscError("TSC_COPY_NOT_FOLDER", `${path} in container ${target.name} is not a folder`, {
        kind: "invalid-input",
      });
    }
    const sinks = new Sinks(deps, target);
    const places = new EntryPlaces(tree, target, options.followLinks ?? false);
    await sinks.finish(`copy to ${target.name}:${path}`, async () => {
      for await (const { entry, body } of readTar(tar as AsyncIterable<Buffer>)) {
        await copyEntry(places, folder, entry, body, sinks, options.archive ?? false);
      }
    });
  });
}

/** Takes paths away, wherever links of folders lead; what is missing and mount points stay as they are. `TSC_COPY_READ_ONLY`. */
export async function removeIn(deps: CopyDeps, target: CopyTarget, paths: readonly string[]): Promise<void> {
  await withTree(deps, target, async (tree) => {
    const sinks = new Sinks(deps, target);
    const places = new EntryPlaces(tree, target, false);
    await sinks.finish(`removal in ${target.name}`, async () => {
      for (const path of paths) {
        const place = places.of(posix.resolve("/", path), false);
        if (place.stat === undefined || place.relative === "" || tree.isMountPoint(place.path)) continue;
        // a layer's way of saying so
        const name = posix.join(posix.dirname(place.relative), `.wh.${basename(place.relative)}`);
        const header = { name, type: "file", mode: 0o600, uid: 0, gid: 0, size: 0, mtime: 0 } as const;
        await send(sinks.of(place), encodeTarHeader(header));
      }
    });
  });
}

/** Where entries of one archive go. Folders on the way are looked up once. */
class EntryPlaces {
  readonly #tree: ContainerTree;
  readonly #target: CopyTarget;
  readonly #followLinks: boolean;
  readonly #folders = new Map<string, string>();

  constructor(tree: ContainerTree, target: CopyTarget, followLinks: boolean) {
    this.#tree = tree;
    this.#target = target;
    this.#followLinks = followLinks;
  }

  of(path: string, isFolder: boolean): Place {
    const parent = posix.dirname(path);
    const folder = this.#folders.get(parent) ?? this.#tree.locate(parent, true).path;
    this.#folders.set(parent, folder);
    // a mount point inside the archive is the mount: what is below it goes there
    const place = this.#tree.place(posix.join(folder, basename(path)));
    if (!isFolder || place.stat === undefined || place.stat.isDirectory()) return place;
    if (this.#followLinks) {
      const led = place.stat.isSymbolicLink() ? this.#tree.locate(place.path, true) : place;
      return led.stat?.isDirectory() === true ? led : place;
    }
    throw new TscError(
      "TSC_COPY_CONFLICT",
      `cannot overwrite non-directory ${path} in container ${this.#target.name} with a directory`,
      { kind: "conflict" },
    );
  }
}

/** The unpackers of one copy, one for each folder that confines the work. */
class Sinks {
  readonly #deps: CopyDeps;
  readonly #target: CopyTarget;
  readonly #open = new Map<OpenedPath, { input: PassThrough; done: Promise<unknown> }>();

  constructor(deps: CopyDeps, target: CopyTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  of(place: Place): PassThrough {
    if (place.root === undefined) throw missing(this.#target, place.path);
    const known = this.#open.get(place.root);
    if (known !== undefined) return known.input;
    if (place.readOnly) {
      throw new TscError("TSC_COPY_READ_ONLY", `${place.path} in container ${this.#target.name} is read-only`, {
        kind: "denied",
      });
    }
    const input = new PassThrough();
    const { kernel } = this.#deps.ctx;
    const done = kernel.unpackLayer({ target: place.root, whiteouts: "apply", input, compression: "none" });
    // the failure is thrown by `finish`; until then it must not count as unhandled
    done.catch(() => {});
    this.#open.set(place.root, { input, done });
    return input;
  }

  /** Runs `work`, which fills them, and waits until all is unpacked; also when it fails. */
  async finish(what: string, work: () => Promise<void>): Promise<void> {
    const sinks = this.#open;
    try {
      await work();
      for (const { input } of sinks.values()) input.end(TAR_END);
    } catch (error) {
      for (const { input } of sinks.values()) input.destroy(error instanceof Error ? error : new Error(String(error)));
      await Promise.allSettled([...sinks.values()].map(({ done }) => done));
      if (!(error instanceof TarFormatError)) throw error;
      throw new TscError("TSC_COPY_ARCHIVE", `${what}: ${error.message}`, { kind: "invalid-input" });
    }
    await Promise.all([...sinks.values()].map(({ done }) => done));
  }
}

async function copyEntry(
  places: EntryPlaces,
  folder: Place,
  entry: TarEntry,
  body: AsyncIterable<Buffer>,
  sinks: Sinks,
  archive: boolean,
): Promise<void> {
  const below = posix.join("/", entry.name);
  if (below === "/") return;
  if (basename(below).startsWith(".wh.")) {
    throw new TscError("TSC_COPY_ARCHIVE", `${entry.name}: names that begin with .wh. cannot be copied`, {
      kind: "unsupported",
    });
  }
  const place = places.of(posix.join(folder.path, below), entry.type === "directory");
  if (place.relative === "") return;
  const link =
    entry.type === "hardlink"
      ? places.of(posix.join(folder.path, posix.join("/", entry.linkName ?? "")), false)
      : undefined;
  if (link !== undefined && link.root !== place.root) {
    throw new TscError("TSC_COPY_ARCHIVE", `${entry.name}: a hard link cannot cross mounts`, { kind: "invalid-input" });
  }
  const sink = sinks.of(place);
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
