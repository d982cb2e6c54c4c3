/**
 * Where a path of a container lies on the host, its volumes and bind mounts included. Nothing is mounted for it: the path is
 * walked link by link over the rootfs and the mounts' sources, and the work is then done by a helper confined to one of them,
 * so that a container that swaps links meanwhile never leads outside (CVE-2018-15664, CVE-2019-14271).
 */
import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";

export interface MountedSource {
  /** Canonical path in the container, no slash at the end. */
  readonly target: string;
  /** Host file or folder. */
  readonly source: string;
  readonly readOnly: boolean;
}

export interface Place {
  /** Canonical path in the container; `/` for the root. */
  readonly path: string;
  /** Host folder that confines the work. */
  readonly root: string;
  /** Below `root`, no leading slash; "" is `root` itself. */
  readonly relative: string;
  readonly readOnly: boolean;
  /** Of the thing itself (a link is not followed); undefined when missing. */
  readonly stat: Stats | undefined;
  readonly linkTarget: string;
}

const MAX_LINKS = 40;

/** A container's files: its rootfs and what is mounted over it, outermost first. */
export class ContainerTree {
  readonly #kernel: Kernel;
  readonly #root: string;
  readonly #readOnly: boolean;
  readonly mounts: readonly MountedSource[];

  constructor(kernel: Kernel, root: string, readOnly: boolean, mounts: readonly MountedSource[]) {
    this.#kernel = kernel;
    this.#root = root;
    this.#readOnly = readOnly;
    const placed: MountedSource[] = [];
    this.mounts = placed;
    // a target may lead through links and through mounts above it
    for (const mount of [...mounts].sort((a, b) => depth(a.target) - depth(b.target))) {
      placed.push({ ...mount, target: this.locate(mount.target, true).path });
    }
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
    const mount = this.mounts.findLast(
      (candidate) => candidate.target === path || path.startsWith(`${candidate.target}/`),
    );
    const readOnly = mount?.readOnly ?? this.#readOnly;
    if (mount === undefined) return this.#at(path, this.#root, path.slice(1), readOnly);
    const below = path.slice(mount.target.length + 1);
    const source = statSync(mount.source, { throwIfNoEntry: false });
    if (source?.isDirectory() === false && below === "") {
      return this.#at(path, dirname(mount.source), basename(mount.source), readOnly);
    }
    return this.#at(path, mount.source, below, readOnly);
  }

  /** Mounts strictly below a canonical path. */
  mountsBelow(path: string): readonly MountedSource[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return this.mounts.filter((mount) => mount.target.startsWith(prefix));
  }

  #at(path: string, root: string, relative: string, readOnly: boolean): Place {
    try {
      const slash = relative.lastIndexOf("/");
      const parent = this.#kernel.resolveInRoot(root, `/${slash < 0 ? "" : relative.slice(0, slash)}`);
      const host = relative === "" ? parent : join(parent, relative.slice(slash + 1));
      const stat = lstatSync(host);
      return { path, root, relative, readOnly, stat, linkTarget: stat.isSymbolicLink() ? readlinkSync(host) : "" };
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
      return { path, root, relative, readOnly, stat: undefined, linkTarget: "" };
    }
  }
}

function depth(path: string): number {
  return path.split("/").filter(Boolean).length;
}
