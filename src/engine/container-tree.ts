/**
 * A container's files as the container sees them, its volumes and bind mounts included. Nothing is mounted for it: a path is walked
 * link by link over the rootfs and the mounts' folders, each of them opened once. What a path means is a folder that confines the work
 * and a path below it; so a container that swaps links meanwhile never leads outside (CVE-2018-15664, CVE-2019-14271).
 */
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import type { Kernel, OpenedPath } from "../kernel/kernel.js";
import { errnoOf, TscError } from "../lib/errors.js";

/** What of a mount can be seen from outside of the container. */
export interface MountContent {
  /** Undefined: nothing can, it is made for the container or it is gone. */
  readonly folder: OpenedPath | undefined;
  /** The name in `folder` when a single file is mounted; "" for the folder itself. */
  readonly file: string;
}

/** A mount of a container, at its place. */
export interface PlacedMount extends MountContent {
  /** Canonical path in the container, no slash at the end. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** Where a path of a container leads. */
export interface Place {
  /** Canonical path in the container; `/` for the root. */
  readonly path: string;
  /** The folder that confines the work; undefined inside a mount that cannot be seen. */
  readonly root: OpenedPath | undefined;
  /** Below `root`, no leading slash; "" is `root` itself. */
  readonly relative: string;
  readonly readOnly: boolean;
  /** Of the thing itself (a link is not followed); undefined when missing. */
  readonly stat: Stats | undefined;
  readonly linkTarget: string;
}

const MAX_LINKS = 40;

/** Opens what a mount with this source shows, `subpath` resolved inside the source. Gone is no error. */
export function openMount(kernel: Kernel, source: string, subpath = ""): MountContent {
  try {
    return subpath === "" ? openSource(kernel, source) : openBelow(kernel, source, subpath);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { folder: undefined, file: "" };
    throw error;
  }
}

function openSource(kernel: Kernel, source: string): MountContent {
  if (statSync(source).isDirectory()) return { folder: kernel.openInRoot(source, "/"), file: "" };
  const real = realpathSync(source);
  return { folder: kernel.openInRoot(dirname(real), "/"), file: basename(real) };
}

function openBelow(kernel: Kernel, source: string, subpath: string): MountContent {
  const opened = kernel.openInRoot(source, subpath);
  if (opened.stat().isDirectory()) return { folder: opened, file: "" };
  using _file = opened;
  return { folder: kernel.openInRoot(source, posix.dirname(`/${opened.within}`)), file: basename(opened.within) };
}

/** A container's files: its rootfs and what is mounted over it, outermost first. Closes what it was given when disposed. */
export class ContainerTree implements Disposable {
  readonly #root: OpenedPath;
  readonly #kernel: Kernel;
  readonly #readOnly: boolean;
  readonly #mounts: PlacedMount[] = [];

  constructor(kernel: Kernel, rootfs: string, readOnly = false) {
    this.#kernel = kernel;
    this.#root = kernel.openInRoot(rootfs, "/");
    this.#readOnly = readOnly;
  }

  [Symbol.dispose](): void {
    for (const { folder } of this.#mounts) folder?.[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }

  /** Puts a mount over what is there: its target may lead through links and through mounts that came before. */
  mount(target: string, content: MountContent, readOnly: boolean): void {
    this.#mounts.push({ ...content, target: this.locate(target, true).path, readOnly });
  }

  /** The place of a path. Links on the way are followed, the last one only when asked. `TSC_COPY_LOOP` for too many links. */
  locate(path: string, followLast: boolean): Place {
    let current: string[] = [];
    let pending = path.split("/");
    for (let links = 0; ; ) {
      const part = pending.shift();
      if (part === undefined) return this.place(`/${current.join("/")}`);
      if (part === "" || part === ".") continue;
      if (part === "..") {
        current.pop();
        continue;
      }
      const here = this.place(`/${[...current, part].join("/")}`);
      const isLast = pending.every((rest) => rest === "" || rest === ".");
      const mustFollow = !isLast || followLast || pending.length > 0;
      if (here.stat?.isSymbolicLink() === true && mustFollow) {
        if (++links > MAX_LINKS) {
          throw new TscError("TSC_COPY_LOOP", `${path}: too many symbolic links`, { kind: "invalid-input" });
        }
        if (here.linkTarget.startsWith("/")) current = [];
        pending = [...here.linkTarget.split("/"), ...pending];
      } else current.push(part);
    }
  }

  /** The place of a canonical path; its last part is not followed. */
  place(path: string): Place {
    const mount = this.#mounts.findLast(({ target }) => target === path || path.startsWith(`${target}/`));
    if (mount === undefined) return this.#at(path, this.#root, path.slice(1), this.#readOnly);
    const below = path.slice(mount.target.length + 1);
    const relative = mount.file === "" || below === "" ? `${mount.file}${below}` : `${mount.file}/${below}`;
    return this.#at(path, mount.folder, relative, mount.readOnly);
  }

  /** True when something is mounted at a canonical path. */
  isMountPoint(path: string): boolean {
    return this.#mounts.some(({ target }) => target === path);
  }

  /** Mounts strictly below a canonical path. */
  mountsBelow(path: string): readonly PlacedMount[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return this.#mounts.filter((mount) => mount.target.startsWith(prefix));
  }

  #at(path: string, root: OpenedPath | undefined, relative: string, readOnly: boolean): Place {
    const nothing = { path, root, relative, readOnly, stat: undefined, linkTarget: "" };
    if (root === undefined) return nothing;
    if (relative === "") return { ...nothing, stat: root.stat() };
    try {
      using parent = this.#kernel.openInRoot(root.path, `/${posix.dirname(relative)}`);
      const here = join(parent.path, basename(relative));
      const stat = lstatSync(here);
      return { ...nothing, stat, linkTarget: stat.isSymbolicLink() ? readlinkSync(here) : "" };
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
      return nothing;
    }
  }
}
