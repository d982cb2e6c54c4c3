/** Lays sources out below a destination as a layer tar, with the folders above them exactly once. Writes no files. */
import { encodeTarHeader, readTar, TAR_END, type TarEntry, TarFormatError, tarPadding } from "../../../lib/tar.js";
import { deviceNumbers } from "../../device-numbers.js";
import { cleanPath } from "../dockerignore.js";
import type { RootfsView } from "../rootfs-view.js";
import type { ChangeMode } from "./chmod.js";
import type { SourceGroup, SourceItem } from "./sources.js";

/** How copied files are laid out. */
export interface LayoutOptions {
  readonly view: RootfsView;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly changeMode: ChangeMode | undefined;
  /** `--link`: the layer stands for itself, links below do not matter. */
  readonly link: boolean;
  readonly problem: (message: string) => Error;
  /** Absolute. */
  readonly target: string;
  /** The target is meant as a folder whatever is there. */
  readonly isFolderTarget: boolean;
}

/** The layer's tar; names are relative to the root, links on the way to them resolved by the view. */
export async function* layoutTar(groups: readonly SourceGroup[], options: LayoutOptions): AsyncGenerator<Buffer> {
  const layout = new Layout(options);
  const base = layout.resolve(options.target);
  for (const group of groups) {
    switch (group.kind) {
      case "file": {
        const isFolder = options.isFolderTarget || base === "" || layout.existing(base)?.isDirectory() === true;
        // a link as the last part means the file it leads to
        const name = isFolder ? layout.resolve(`${base}/${group.baseName}`) : base;
        yield* layout.parents(name);
        yield* layout.item(group.item, name);
        break;
      }
      case "folder":
        yield* layout.folder(group.items, base);
        break;
      case "archive":
        yield* layout.archive(group.open(), base);
    }
  }
  yield TAR_END;
}

class Layout {
  readonly #options: LayoutOptions;
  readonly #folders = new Set<string>([""]);

  constructor(options: LayoutOptions) {
    this.#options = options;
  }

  resolve(path: string): string {
    return this.#options.link ? cleanPath(path) : this.#options.view.canonical(path);
  }

  existing(name: string) {
    return this.#options.link ? undefined : this.#options.view.stat(name);
  }

  /** Headers of the folders above a name: as they are below, so that the new layer changes nothing about them. */
  *parents(name: string): Generator<Buffer> {
    const parts = name.split("/").slice(0, -1);
    for (let i = 1; i <= parts.length; i++) {
      const folder = parts.slice(0, i).join("/");
      if (this.#folders.has(folder)) continue;
      this.#folders.add(folder);
      const stat = this.#options.view.stat(folder);
      if (stat !== undefined && !stat.isDirectory()) {
        if (this.#options.link) continue;
        throw this.#options.problem(`/${folder} is not a folder`);
      }
      const { uid = 0, gid = 0 } = this.#options.owner ?? {};
      const kept = stat === undefined ? undefined : { uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o7777 };
      const mtime = Math.floor((stat?.mtimeMs ?? Date.now()) / 1000);
      yield encodeTarHeader({
        name: folder,
        type: "directory",
        size: 0,
        mtime,
        ...(kept ?? { uid, gid, mode: 0o755 }),
      });
    }
  }

  async *folder(items: readonly SourceItem[], base: string): AsyncGenerator<Buffer> {
    const names = new Map<string, string>([["", base]]);
    yield* this.parents(base);
    for (const item of items) {
      if (item.relative === "") {
        if (base === "" || this.#folders.has(base)) continue;
        // an existing destination keeps its owner and mode
        if (this.existing(base)?.isDirectory() === true) yield* this.parents(`${base}/x`);
        else yield* this.item(item, base);
        continue;
      }
      const slash = item.relative.lastIndexOf("/");
      const parent = names.get(slash < 0 ? "" : item.relative.slice(0, slash)) ?? base;
      const plain = cleanPath(`${parent}/${item.relative.slice(slash + 1)}`);
      const name = item.type === "directory" ? this.resolve(plain) : plain;
      if (item.type === "directory") names.set(item.relative, name);
      yield* this.parents(name);
      yield* this.item(item, name);
    }
  }

  async *item(item: SourceItem, name: string): AsyncGenerator<Buffer> {
    const isFolder = item.type === "directory";
    const last = name.slice(name.lastIndexOf("/") + 1);
    if (last.startsWith(".wh.")) throw this.#options.problem(`${last}: a layer cannot hold names that begin with .wh.`);
    const below = this.existing(name);
    if (below !== undefined && below.isDirectory() !== isFolder && !(isFolder && below.isSymbolicLink())) {
      if (isFolder) throw this.#options.problem(`cannot copy a folder to /${name}: it is not a folder`);
      if (below.isDirectory()) throw this.#options.problem(`cannot copy a file to /${name}: it is a folder`);
    }
    if (isFolder) this.#folders.add(name);
    const { uid, gid } = this.#options.owner ?? item;
    const mode = item.type === "symlink" ? 0o777 : (this.#options.changeMode?.(item.mode, isFolder) ?? item.mode);
    yield encodeTarHeader({
      name,
      type: item.type,
      mode,
      uid,
      gid,
      size: item.size,
      mtime: item.mtime,
      ...(item.type === "symlink" ? { linkName: item.linkName } : {}),
      ...(item.type === "char" || item.type === "block" ? deviceFields(item.rdev) : {}),
    });
    if (item.type !== "file") return;
    yield* item.open();
    yield tarPadding(item.size);
  }

  async *archive(source: AsyncIterable<Uint8Array>, base: string): AsyncGenerator<Buffer> {
    yield* this.parents(cleanPath(`${base}/x`));
    const below = (name: string): string => {
      const clean = cleanPath(name);
      const slash = clean.lastIndexOf("/");
      const folder = this.resolve(`${base}/${slash < 0 ? "" : clean.slice(0, slash)}`);
      return cleanPath(`${folder}/${clean.slice(slash + 1)}`);
    };
    try {
      for await (const { entry, body } of readTar(source)) {
        const name = below(entry.name);
        if (cleanPath(entry.name) === "") continue;
        yield* this.parents(name);
        if (entry.type === "directory") this.#folders.add(name);
        const moved: TarEntry = {
          ...entry,
          name,
          ...(this.#options.owner ?? {}),
          mode: this.#options.changeMode?.(entry.mode, entry.type === "directory") ?? entry.mode,
          ...(entry.type === "hardlink" ? { linkName: below(entry.linkName ?? "") } : {}),
        };
        yield encodeTarHeader(moved);
        for await (const chunk of body) yield chunk;
        yield tarPadding(entry.size);
      }
    } catch (error) {
      if (error instanceof TarFormatError)
        throw this.#options.problem(`the archive cannot be unpacked: ${error.message}`);
      throw error;
    }
  }
}

function deviceFields(rdev: number): { devMajor: number; devMinor: number } {
  const { major, minor } = deviceNumbers(rdev);
  return { devMajor: major, devMinor: minor };
}
