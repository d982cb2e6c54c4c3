/**
 * Trees that COPY and ADD read from: the build context, an additional context, another stage or image. Finds what a
 * pattern means and walks it. Links above the last name are resolved inside the tree; nothing outside is ever read, also when
 * somebody (a container that has the context mounted) swaps folders for links meanwhile: everything is opened inside the tree's root.
 */
import { createHash } from "node:crypto";
import {
  constants,
  createReadStream,
  lstatSync,
  openSync,
  type ReadStream,
  readdirSync,
  readlinkSync,
  type Stats,
} from "node:fs";
import { join, posix } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import { cleanPath, globToRegExp, IGNORE_NOTHING, type IgnoreMatcher, parseIgnore } from "./dockerignore.js";

const MAX_IGNORE_BYTES = 1 << 20;

export interface SourceTree {
  /** Host folder. */
  readonly root: string;
  readonly ignore: IgnoreMatcher;
  /** Owners mean something (a stage or image); in a context everything belongs to root. */
  readonly keepsOwners: boolean;
}

export interface SourceEntry {
  /** Relative to the tree, no leading slash; "" is the tree itself. */
  readonly path: string;
  readonly stat: Stats;
  readonly linkTarget: string;
  /** A descriptor to read a regular file from, for the caller to close; a link put in its place meanwhile is not followed. */
  readonly open: () => number;
}

/** A context folder with its ignore file: `<Dockerfile>.dockerignore` if there is one, else `.dockerignore`. */
export function openContext(kernel: Kernel, root: string, dockerfile?: string): SourceTree {
  const names = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), ".dockerignore"];
  for (const name of names) {
    // read inside the context: a .dockerignore that links out of it must not be followed (CVE-2022-4122)
    const text = kernel.readFileInRoot(root, name, MAX_IGNORE_BYTES);
    if (text !== undefined) return { root, ignore: parseIgnore(text.toString("utf8")), keepsOwners: false };
  }
  return { root, ignore: IGNORE_NOTHING, keepsOwners: false };
}

/** The entry at a path with links resolved inside the tree; undefined when missing or ignored. */
export function lookUp(kernel: Kernel, tree: SourceTree, path: string): SourceEntry | undefined {
  try {
    using opened = kernel.openInRoot(tree.root, path);
    const stat = opened.stat();
    const actual = opened.within;
    if (
      actual !== "" &&
      tree.ignore.excludes(actual) &&
      !(stat.isDirectory() && tree.ignore.mayHoldExceptions(actual))
    ) {
      return undefined;
    }
    return { path: actual, stat, linkTarget: "", open: () => openFile(kernel, tree, actual) };
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}

function openFile(kernel: Kernel, tree: SourceTree, path: string): number {
  using folder = kernel.openInRoot(tree.root, posix.dirname(path));
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return openSync(join(folder.path, posix.basename(path)), flags);
}

/** Paths that a COPY source means, sorted; empty when nothing fits. Wildcards follow Go's filepath.Match plus `**`. */
export function matchSources(kernel: Kernel, tree: SourceTree, pattern: string): string[] {
  const clean = cleanPath(pattern);
  if (!/[*?[]/.test(clean)) {
    const plain = clean.replace(/\\(.)/g, "$1");
    return lookUp(kernel, tree, plain) === undefined ? [] : [plain];
  }
  const segments = clean.split("/");
  let found = [""];
  for (const [i, segment] of segments.entries()) {
    const next: string[] = [];
    for (const folder of found) {
      if (segment === "**") {
        next.push(folder, ...foldersBelow(kernel, tree, folder));
      } else if (/[*?[\\]/.test(segment)) {
        const regex = globToRegExp(segment);
        next.push(
          ...childrenOf(kernel, tree, folder).filter((path) => regex.test(path.slice(path.lastIndexOf("/") + 1))),
        );
      } else {
        next.push(folder === "" ? segment : `${folder}/${segment}`);
      }
    }
    found = i === segments.length - 1 ? next : next.filter((path) => isFolder(kernel, tree, path));
  }
  return [...new Set(found)].filter((path) => path !== "" && lookUp(kernel, tree, path) !== undefined).sort();
}

function isFolder(kernel: Kernel, tree: SourceTree, path: string): boolean {
  return path === "" || lookUp(kernel, tree, path)?.stat.isDirectory() === true;
}

function childrenOf(kernel: Kernel, tree: SourceTree, folder: string): string[] {
  const entry = lookUp(kernel, tree, folder);
  if (entry?.stat.isDirectory() !== true) return [];
  using opened = kernel.openInRoot(tree.root, entry.path);
  return readdirSync(opened.path)
    .sort()
    .map((name) => (folder === "" ? name : `${folder}/${name}`));
}

function foldersBelow(kernel: Kernel, tree: SourceTree, folder: string): string[] {
  return childrenOf(kernel, tree, folder)
    .filter((path) => {
      const entry = lookUp(kernel, tree, path);
      return entry?.stat.isDirectory() === true && entry.path === path;
    })
    .flatMap((path) => [path, ...foldersBelow(kernel, tree, path)]);
}

/** Everything below a folder in sorted order, folders before their content; ignored entries are left out. */
export function* walk(kernel: Kernel, tree: SourceTree, folder: SourceEntry): Generator<SourceEntry> {
  using opened = kernel.openInRoot(tree.root, folder.path);
  for (const name of readdirSync(opened.path).sort()) {
    const path = folder.path === "" ? name : `${folder.path}/${name}`;
    const here = join(opened.path, name);
    const stat = lstatSync(here);
    const linkTarget = stat.isSymbolicLink() ? readlinkSync(here) : "";
    const entry: SourceEntry = { path, stat, linkTarget, open: () => openFile(kernel, tree, path) };
    const isExcluded = tree.ignore.excludes(path);
    if (!stat.isDirectory()) {
      if (!isExcluded && !stat.isSocket()) yield entry;
      continue;
    }
    if (!isExcluded) {
      yield entry;
      yield* walk(kernel, tree, entry);
    } else if (tree.ignore.mayHoldExceptions(path)) {
      // the folder comes along only when something inside is kept
      const kept = walk(kernel, tree, entry);
      const first = kept.next();
      if (first.done === true) continue;
      yield entry;
      yield first.value;
      yield* kept;
    }
  }
}

/** A regular file's content; a link put there meanwhile is not followed. */
export function openContent(entry: SourceEntry): ReadStream {
  return createReadStream("", { fd: entry.open(), autoClose: true, highWaterMark: 256 * 1024 });
}

/** `sha256` of a regular file's content, hex. */
export async function contentDigest(entry: SourceEntry): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of openContent(entry)) hash.update(chunk);
  return hash.digest("hex");
}
