/** What COPY and ADD read: files, folders, here-documents, downloads and archives, before it is known where they go. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Kernel } from "../../../kernel/kernel.js";
import { createPace, type Pace } from "../../../lib/pace.js";
import { contentDigest, contentOf, lookUp, matchSources, type SourceEntry, type SourceTree, walk } from "../context.js";
import type { StepScope } from "../deps.js";
import type { CopyInstruction } from "../dockerfile/instructions.js";
import { dockerfileError } from "../dockerfile/parse.js";
import { cleanPath, type IgnoreMatcher, parseIgnore } from "../dockerignore.js";

/** One thing to put below the destination. */
export interface SourceItem {
  /** Below the destination folder; "" stands for the destination itself. */
  readonly relative: string;
  readonly type: "file" | "directory" | "symlink" | "fifo" | "char" | "block";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly linkName: string;
  readonly rdev: number;
  /** Content of exactly `size` bytes. */
  readonly open: () => AsyncIterable<Buffer>;
  /** Of a file's content; "" for the rest. */
  readonly digest: () => Promise<string>;
}

/** What one source of a COPY or ADD turns out to be. */
export type SourceGroup =
  /** One file; `baseName` is its name when the destination is a folder. */
  | { readonly kind: "file"; readonly baseName: string; readonly item: SourceItem }
  /** A folder's content; the first item is the folder itself, with `relative` "". */
  | { readonly kind: "folder"; readonly items: readonly SourceItem[] }
  /** A tar to unpack below the destination. */
  | {
      readonly kind: "archive";
      readonly open: () => AsyncIterable<Uint8Array>;
      readonly digest: () => Promise<string>;
    };

/** An item made of bytes in memory. */
export function memoryItem(content: Buffer, mode: number, mtime = Math.floor(Date.now() / 1000)): SourceItem {
  return {
    relative: "",
    type: "file",
    mode,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime,
    linkName: "",
    rdev: 0,
    open: async function* () {
      yield content;
    },
    digest: async () => createHash("sha256").update(content).digest("hex"),
  };
}

/** The item of an entry of a tree. */
export function treeItem(tree: SourceTree, entry: SourceEntry, relative: string): SourceItem {
  const { stat } = entry;
  const type = stat.isDirectory()
    ? "directory"
    : stat.isSymbolicLink()
      ? "symlink"
      : stat.isFIFO()
        ? "fifo"
        : stat.isCharacterDevice()
          ? "char"
          : stat.isBlockDevice()
            ? "block"
            : "file";
  return {
    relative,
    type,
    mode: stat.mode & 0o7777,
    uid: tree.keepsOwners ? stat.uid : 0,
    gid: tree.keepsOwners ? stat.gid : 0,
    size: type === "file" ? stat.size : 0,
    mtime: Math.floor(stat.mtimeMs / 1000),
    linkName: entry.linkTarget,
    rdev: stat.rdev,
    open: () => contentOf(entry),
    digest: async () => (type === "file" ? await contentDigest(entry) : ""),
  };
}

/** The groups of a COPY (or of ADD's plain local sources) in the order written. `TSC_DOCKERFILE` for a source that is not there. */
export async function treeSources(
  scope: StepScope,
  instruction: CopyInstruction,
  tree: SourceTree,
  pattern: string,
): Promise<{ entry: SourceEntry; group: SourceGroup }[]> {
  const { kernel } = scope.build.deps.ctx;
  const pace = createPace(scope.build.signal);
  const [, before, after] = instruction.parents ? (/^(.*?\/)?\.\/(.*)$/.exec(pattern) ?? []) : [];
  const pivot = instruction.parents ? (before ?? "") : "";
  const whole = after === undefined ? pattern : `${pivot}${after}`;
  const paths = await matchSources(kernel, tree, whole, pace);
  const isRoot = cleanPath(whole) === "";
  if (paths.length === 0 && !isRoot) {
    const where = instruction.from === undefined ? "in the build context" : `in ${JSON.stringify(instruction.from)}`;
    throw dockerfileError(
      scope.file,
      instruction,
      `${instruction.kind}: ${JSON.stringify(pattern)}: not found ${where}`,
      instruction.from === undefined ? "check the path and .dockerignore" : undefined,
    );
  }
  const exclude =
    instruction.exclude.length === 0 ? undefined : parseIgnore(instruction.exclude.map(scope.expand).join("\n"));
  const result: { entry: SourceEntry; group: SourceGroup }[] = [];
  for (const path of isRoot ? [""] : paths) {
    const entry = lookUp(kernel, tree, path);
    if (entry === undefined) continue;
    const given = instruction.parents ? posix.relative(`/${cleanPath(pivot)}`, `/${path}`) : "";
    const base = path.slice(path.lastIndexOf("/") + 1);
    if (entry.stat.isDirectory()) {
      const items = await folderItems(kernel, tree, entry, given, exclude, pace);
      result.push({ entry, group: { kind: "folder", items } });
    } else if (exclude?.excludes(base) !== true) {
      const item = treeItem(tree, entry, "");
      result.push({
        entry,
        group: instruction.parents
          ? { kind: "folder", items: [...parentItems(given), { ...item, relative: given }] }
          : { kind: "file", baseName: base, item },
      });
    }
  }
  return result;
}

/** A folder and everything below it that the tree shows; `prefix` stands before each name. */
export async function folderItems(
  kernel: Kernel,
  tree: SourceTree,
  folder: SourceEntry,
  prefix: string,
  exclude: IgnoreMatcher | undefined,
  pace: Pace,
): Promise<SourceItem[]> {
  const items: SourceItem[] = [...parentItems(prefix), treeItem(tree, folder, prefix)];
  for await (const entry of walk(kernel, tree, folder, pace)) {
    const inside = folder.path === "" ? entry.path : entry.path.slice(folder.path.length + 1);
    if (exclude?.excludes(inside) === true && !(entry.stat.isDirectory() && exclude.mayHoldExceptions(inside)))
      continue;
    items.push(treeItem(tree, entry, prefix === "" ? inside : `${prefix}/${inside}`));
  }
  return items;
}

/** Folders above a path that `--parents` keeps. */
function parentItems(path: string): SourceItem[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => ({
    ...memoryItem(Buffer.alloc(0), 0o755),
    type: "directory" as const,
    relative: parts.slice(0, i + 1).join("/"),
    digest: async () => "",
  }));
}

/** What of the groups decides the result, for the cache key: no times. */
export async function fingerprint(groups: readonly SourceGroup[]): Promise<unknown[]> {
  const parts: unknown[] = [];
  for (const group of groups) {
    if (group.kind === "archive") parts.push(["archive", await group.digest()]);
    else {
      const items = group.kind === "file" ? [group.item] : group.items;
      parts.push(group.kind, group.kind === "file" ? group.baseName : "");
      for (const item of items) {
        parts.push([
          item.relative,
          item.type,
          item.mode,
          item.uid,
          item.gid,
          item.linkName,
          item.rdev,
          await item.digest(),
        ]);
      }
    }
  }
  return parts;
}
