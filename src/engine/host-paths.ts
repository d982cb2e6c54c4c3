/**
 * Paths of the host that somebody names for containers: bind sources, files of secrets and configs, devices of volumes. What lies in a folder that a
 * container has had to write may be a link by now, which would choose a place on the host at the next start. Such a path is looked up
 * inside that folder and used by descriptor; every other path means what it says, links included.
 */
import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { OpenedPath } from "../kernel/kernel.js";
import { errnoOf } from "../lib/errors.js";
import type { EngineContext } from "./context.js";
import { noteWrittenFolder, writtenFolders } from "./state/written-folders.js";

/** Where a path leads. */
export interface HostPlace {
  /** The outermost folder on the way that a container has had to write; without one, where the path ends. Canonical. */
  readonly folder: string;
  /** What is left of the path from there on; "" for nothing, then no container can have changed where it leads. */
  readonly below: string;
}

type Host = Pick<EngineContext, "state" | "paths">;

const MAX_LINKS = 40;

/** Walks a path to where it ends, or to the first folder that a container has had to write. Missing parts are taken as they are written. */
export function hostPlace({ state, paths }: Host, path: string): HostPlace {
  const written = writtenFolders(state);
  const volumes = canonical(paths.volumes);
  const isWritten = (folder: string): boolean =>
    written.has(folder) || (basename(folder) === "_data" && dirname(dirname(folder)) === volumes);
  let here = "/";
  let pending = path.split("/");
  for (let links = 0; ; ) {
    const part = pending.shift();
    if (part === undefined) return { folder: here, below: "" };
    if (part === "" || part === ".") continue;
    if (part === "..") {
      here = dirname(here);
      continue;
    }
    const rest = [part, ...pending].filter((name) => name !== "" && name !== ".");
    if (isWritten(here)) return { folder: here, below: rest.join("/") };
    const next = join(here, part);
    const link = linkAt(next);
    if (link === undefined) here = next;
    else if (++links > MAX_LINKS) return { folder: path, below: "" };
    else {
      if (link.startsWith("/")) here = "/";
      pending = [...link.split("/"), ...pending];
    }
  }
}

/** Opens what is below a written folder, links resolved inside it; throws with the errno. */
export function openBelow({ kernel }: Pick<EngineContext, "kernel">, { folder, below }: HostPlace): OpenedPath {
  return kernel.openInRoot(folder, below);
}

/** Notes that a container is about to have this folder to write. Who has the host's root has it all, and is kept from nothing by this. */
export function noteWritten({ state }: Host, { folder, below }: HostPlace): void {
  if (below !== "" || folder === "/" || isFile(folder) || writtenFolders(state).has(folder)) return;
  noteWrittenFolder(state, folder);
}

/** The same for every folder among these mounts that is bound to be written, outermost first. */
export function noteBinds(
  host: Host,
  mounts: readonly { readonly type: string; readonly source: string; readonly readOnly: boolean }[],
): void {
  const bound = mounts.filter(({ type, readOnly }) => type === "bind" && !readOnly).map(({ source }) => source);
  for (const source of bound.toSorted((a, b) => a.length - b.length)) noteWritten(host, hostPlace(host, source));
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Not what is missing: it becomes a folder. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function canonical(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
