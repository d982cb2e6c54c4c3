/**
 * Trees that COPY and ADD read from: the build context, an additional context, another stage or image. Finds what a
 * pattern means and walks it. Links above the last name are resolved inside the tree; nothing outside is ever read, also when
 * somebody (a container that has the context mounted) swaps folders for links meanwhile: everything is opened inside the tree's root.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, lstatSync, openSync, read, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { PatternError, pathGlob } from "../../lib/glob.js";
import type { Pace } from "../../lib/pace.js";
import { cleanPath, IGNORE_NOTHING, type IgnoreMatcher, parseIgnore } from "./dockerignore.js";

const MAX_IGNORE_BYTES = 1 << 20;
const CHUNK_BYTES = 256 * 1024;
const readSome = promisify(read);

/** A source went or shrank while it was read: it has to be looked at again. Message: its path. */
export class SourceChangedError extends Error {}

/** A folder that COPY and ADD read from. */
export interface SourceTree {
  /** Host folder. */
  readonly root: string;
  readonly ignore: IgnoreMatcher;
  /** Owners mean something (a stage or image); in a context everything belongs to root. */
  readonly keepsOwners: boolean;
}

/** One file or folder of it. */
export interface SourceEntry {
  /** Relative to the tree, no leading slash; "" is the tree itself. */
  readonly path: string;
  readonly stat: Stats;
  readonly linkTarget: string;
  /**
   * A descriptor to read a regular file from, for the caller to close; a link put in its place meanwhile is not followed. Throws a
   * `SourceChangedError` when it has gone.
   */
  readonly open: () => number;
}

/**
 * A context folder with its ignore file: `<Dockerfile>.dockerignore` if there is one, else `.dockerignore`. `TSC_BUILD_CONTEXT` for
 * patterns that are none.
 */
export function openContext(kernel: Kernel, root: string, dockerfile?: string): SourceTree {
  const names = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), ".dockerignore"];
  for (const name of names) {
    // read inside the context: a .dockerignore that links out of it must not be followed (CVE-2022-4122)
    const text = readIgnoreFile(kernel, root, name);
    if (text === undefined) continue;
    try {
      return { root, ignore: parseIgnore(text.toString("utf8")), keepsOwners: false };
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw new TscError("TSC_BUILD_CONTEXT", `${join(root, name)}: ${error.message}`, { kind: "invalid-input" });
    }
  }
  return { root, ignore: IGNORE_NOTHING, keepsOwners: false };
}

function readIgnoreFile(kernel: Kernel, root: string, name: string): Buffer | undefined {
  try {
    return kernel.readFileInRoot(root, name, MAX_IGNORE_BYTES);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ELOOP") return undefined;
    const reason = errno === "EINVAL" ? "is not a file" : errno === "EFBIG" ? "is larger than 1 MiB" : undefined;
    if (reason === undefined) throw error;
    throw new TscError("TSC_BUILD_CONTEXT", `${join(root, name)} ${reason}`, { kind: "invalid-input" });
  }
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
  return unlessGone(path, () => {
    using folder = kernel.openInRoot(tree.root, posix.dirname(path));
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return openSync(join(folder.path, posix.basename(path)), flags);
  });
}

function unlessGone<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP")
      throw new SourceChangedError(path, { cause: error });
    throw error;
  }
}

/**
 * Paths that a COPY source means, sorted; empty when nothing fits. Wildcards follow Go's filepath.Match plus `**`. Throws a
 * `PatternError`.
 */
export async function matchSources(kernel: Kernel, tree: SourceTree, pattern: string, pace: Pace): Promise<string[]> {
  const clean = cleanPath(pattern);
  if (!/[*?[]/.test(clean)) {
    const plain = clean.replace(/\\(.)/g, "$1");
    return lookUp(kernel, tree, plain) === undefined ? [] : [plain];
  }
  // several `**` in a row mean one
  const segments = clean.split("/").filter((segment, i, all) => segment !== "**" || all[i - 1] !== "**");
  let found = new Set([""]);
  for (const [i, segment] of segments.entries()) {
    const glob = /[*?[\\]/.test(segment) && segment !== "**" ? pathGlob(segment) : undefined;
    const next = new Set<string>();
    for (const folder of found) {
      await pace();
      if (segment === "**") await addFoldersBelow(kernel, tree, folder, next, pace);
      else if (glob !== undefined) {
        for (const path of childrenOf(kernel, tree, folder)) {
          if (glob.matches(path.slice(path.lastIndexOf("/") + 1))) next.add(path);
        }
      } else next.add(folder === "" ? segment : `${folder}/${segment}`);
    }
    found = next;
    if (i === segments.length - 1) continue;
    for (const path of next) {
      await pace();
      if (!isFolder(kernel, tree, path)) next.delete(path);
    }
  }
  const result: string[] = [];
  for (const path of found) {
    await pace();
    if (path !== "" && lookUp(kernel, tree, path) !== undefined) result.push(path);
  }
  return result.sort();
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

/** Adds a folder and all real folders below it, each looked at once however many ways lead there. */
async function addFoldersBelow(
  kernel: Kernel,
  tree: SourceTree,
  folder: string,
  found: Set<string>,
  pace: Pace,
): Promise<void> {
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    for (const path of childrenOf(kernel, tree, next)) {
      const turn = pace();
      if (turn !== undefined) await turn;
      const entry = lookUp(kernel, tree, path);
      if (entry?.stat.isDirectory() === true && entry.path === path) waiting.push(path);
    }
  }
}

interface Frame {
  readonly folder: SourceEntry;
  readonly entries: readonly SourceEntry[];
  next: number;
  /** Excluded itself: it comes along only when something inside is kept. */
  isWaiting: boolean;
}

/** Everything below a folder in sorted order, folders before their content; ignored entries are left out. */
export async function* walk(
  kernel: Kernel,
  tree: SourceTree,
  top: SourceEntry,
  pace: Pace,
): AsyncGenerator<SourceEntry> {
  const frameOf = (folder: SourceEntry, isWaiting: boolean): Frame => ({
    folder,
    entries: entriesIn(kernel, tree, folder.path),
    next: 0,
    isWaiting,
  });
  const frames = [frameOf(top, false)];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const turn = pace();
    if (turn !== undefined) await turn;
    const entry = frame.entries[frame.next++];
    if (entry === undefined) {
      frames.pop();
      continue;
    }
    const isFolder = entry.stat.isDirectory();
    const isExcluded = tree.ignore.excludes(entry.path);
    if (isExcluded ? !isFolder || !tree.ignore.mayHoldExceptions(entry.path) : entry.stat.isSocket()) continue;
    if (!isExcluded) {
      for (const above of frames) {
        if (above.isWaiting) yield above.folder;
        above.isWaiting = false;
      }
      yield entry;
    }
    if (isFolder) frames.push(frameOf(entry, isExcluded));
  }
}

/** What a folder holds, in order; looked at while it is open, so that no depth of folders holds descriptors. */
function entriesIn(kernel: Kernel, tree: SourceTree, folder: string): SourceEntry[] {
  using opened = unlessGone(folder, () => kernel.openInRoot(tree.root, folder));
  return readdirSync(opened.path)
    .sort()
    .flatMap((name) => {
      const path = folder === "" ? name : `${folder}/${name}`;
      const here = join(opened.path, name);
      const stat = lstatSync(here, { throwIfNoEntry: false });
      // gone since the folder was listed
      if (stat === undefined) return [];
      const linkTarget = stat.isSymbolicLink() ? unlessGone(path, () => readlinkSync(here)) : "";
      return { path, stat, linkTarget, open: () => openFile(kernel, tree, path) };
    });
}

/**
 * A regular file's content, as long as the file was when it was looked at: what a writer appends meanwhile is left to the next build, so
 * that a size told before the content stays true. Throws a `SourceChangedError` when there is less.
 */
export async function* contentOf(entry: SourceEntry): AsyncGenerator<Buffer> {
  let left = entry.stat.size;
  if (left === 0) return;
  const fd = entry.open();
  try {
    while (left > 0) {
      const buffer = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
      const { bytesRead } = await readSome(fd, buffer, 0, buffer.length, null);
      if (bytesRead === 0) throw new SourceChangedError(entry.path);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    closeSync(fd);
  }
}

/** `sha256` of what `contentOf` gives, hex. */
export async function contentDigest(entry: SourceEntry): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of contentOf(entry)) hash.update(chunk);
  return hash.digest("hex");
}
