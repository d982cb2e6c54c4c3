/**
 * What a compose file from elsewhere (git, a registry) may name on this machine: files and folders of what was fetched with it, also
 * through links, and nothing else. Who publishes a project would otherwise read keys and environments of whoever runs it.
 */
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { TscError } from "../../lib/errors.js";
import type { ComposeFs } from "../options.js";
import type { Tree, TreeMap } from "../tree.js";
import { isMap } from "../tree.js";
import { isRemoteContext, resolvePath } from "./paths.js";

/** What paths of a remote file are judged by. */
export interface Confinement {
  /** The folder that was fetched; absolute. */
  readonly root: string;
  /** Where relative paths start; absolute. */
  readonly base: string;
  readonly home: string | undefined;
  readonly fs: ComposeFs;
}

/** Where a loaded remote file lies, and the folder it came with. */
export function rooted({ path, folder }: { readonly path: string; readonly folder?: string }): {
  readonly path: string;
  readonly root: string;
} {
  return { path, root: folder ?? dirname(path) };
}

/** Throws `TSC_REMOTE_OUTSIDE` for a path that is not inside what was fetched; one that is not there is no harm. */
export function assertInside(path: string, root: string, fs: ComposeFs, what: string): void {
  const real = fs.realpath(path);
  const isThere = real !== undefined;
  if (isBelow(root, path) && (!isThere || isBelow(fs.realpath(root) ?? root, real))) return;
  // the cache may be reached by another name than its own
  if (isThere && isBelow(fs.realpath(root) ?? root, real)) return;
  throw new TscError("TSC_REMOTE_OUTSIDE", `${what} of a remote compose file leads out of what was fetched: ${path}`, {
    kind: "denied",
    hint: "a compose file from elsewhere reads only files that came with it; name this one in a file of your own",
  });
}

function isBelow(folder: string, path: string): boolean {
  const place = relative(folder, path);
  return place !== ".." && !place.startsWith("../") && !isAbsolute(place);
}

/** Checks every path of a canonical tree whose content is read or bound. `TSC_REMOTE_OUTSIDE`. */
export function confineTree(tree: TreeMap, { root, base, home, fs }: Confinement): void {
  const check = (value: Tree | undefined, from: string, what: string): string | undefined => {
    if (typeof value !== "string" || value === "") return undefined;
    const path = resolve(from, resolvePath(value, { base: from, home }));
    assertInside(path, root, fs, what);
    return path;
  };
  // a folder of the host is bound in plain sight; one that looks like a file of the project and is a link to it is not
  const checkBind = (source: Tree | undefined, what: string): void => {
    if (typeof source !== "string" || source === "") return;
    const path = resolve(base, resolvePath(source, { base, home }));
    if (isBelow(root, path)) assertInside(path, root, fs, what);
  };
  for (const [name, volume] of entriesOf(tree["volumes"])) {
    const options = isMap(volume) ? volume["driver_opts"] : undefined;
    if (isMap(options) && options["o"] === "bind") checkBind(options["device"], `volumes.${name}.driver_opts.device`);
  }
  for (const section of ["configs", "secrets"] as const) {
    for (const [name, object] of entriesOf(tree[section])) {
      if (isMap(object)) check(object["file"], base, `${section}.${name}.file`);
    }
  }
  for (const [name, service] of entriesOf(tree["services"])) {
    if (!isMap(service)) continue;
    const at = `services.${name}`;
    for (const file of listOf(service["env_file"])) {
      check(isMap(file) ? file["path"] : file, base, `${at}.env_file`);
    }
    for (const mount of listOf(service["volumes"])) {
      if (isMap(mount) && mount["type"] === "bind") checkBind(mount["source"], `${at}.volumes`);
    }
    for (const file of listOf(service["label_file"])) check(file, base, `${at}.label_file`);
    const develop = service["develop"];
    for (const rule of isMap(develop) ? listOf(develop["watch"]) : []) {
      if (isMap(rule)) check(rule["path"], base, `${at}.develop.watch`);
    }
    const build = service["build"];
    if (!isMap(build)) continue;
    const isFolder = typeof build["context"] !== "string" || !isRemoteContext(build["context"]);
    const context = isFolder ? (check(build["context"], base, `${at}.build.context`) ?? base) : undefined;
    if (context !== undefined) check(build["dockerfile"], context, `${at}.build.dockerfile`);
    for (const [, other] of entriesOf(build["additional_contexts"])) {
      if (typeof other === "string" && !isRemoteContext(other)) check(other, base, `${at}.build.additional_contexts`);
    }
  }
}

function entriesOf(value: Tree | undefined): [string, Tree][] {
  return isMap(value) ? (Object.entries(value) as [string, Tree][]) : [];
}

function listOf(value: Tree | undefined): readonly Tree[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
