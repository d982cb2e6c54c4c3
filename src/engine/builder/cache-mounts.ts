/**
 * The folders of `RUN --mount=type=cache` under root/build/cache. Whoever mounts one holds its lock (shared with others where the mount is),
 * so that nobody removes it meanwhile.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { FileLock } from "../../kernel/kernel.js";
import type { EngineContext } from "../context.js";
import { listFolder, openScratch } from "../storage/index.js";
import { takeLock } from "../take-lock.js";

/** A stored cache folder. */
export interface CacheFolder {
  readonly name: string;
  readonly path: string;
  /** When a build last opened it, ISO 8601. */
  readonly usedAt: string;
}

function baseOf(ctx: EngineContext): string {
  return join(ctx.paths.root, "build", "cache");
}

const lockFile = (name: string): string => `build-cache-${name}`;

function tryFolder(ctx: EngineContext, name: string): Promise<FileLock | undefined> {
  return ctx.kernel.lockFile(join(ctx.paths.locks, lockFile(name)), { wait: false });
}

/** The folder of a cache, made when it is missing, and the lock to hold while it is mounted. `private` takes the first that nobody has. */
export async function openCacheFolder(
  ctx: EngineContext,
  cache: { readonly id: string; readonly sharing: string; readonly signal: AbortSignal | undefined },
): Promise<{ readonly folder: string; readonly lock: FileLock }> {
  // the id is hashed, so that no id can name another folder (cache ids with ../)
  const id = createHash("sha256").update(cache.id).digest("hex").slice(0, 32);
  const base = baseOf(ctx);
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const open = (name: string, lock: FileLock) => {
    const folder = join(base, name);
    mkdirSync(folder, { recursive: true });
    // its own time is when it was used: reading sizes must not count as use, so it cannot be the time of access
    const now = new Date();
    utimesSync(folder, now, now);
    return { folder, lock };
  };
  if (cache.sharing === "private") {
    for (let copy = 0; ; copy++) {
      const name = copy === 0 ? id : `${id}-${copy}`;
      const lock = await tryFolder(ctx, name);
      if (lock !== undefined) return open(name, lock);
    }
  }
  const lock = await takeLock(ctx, lockFile(id), `cache mount ${cache.id}`, {
    shared: cache.sharing !== "locked",
    signal: cache.signal,
  });
  return open(id, lock);
}

/** Every cache folder. */
export function cacheFolders(ctx: EngineContext): CacheFolder[] {
  return listFolder(baseOf(ctx)).map((name) => {
    const path = join(baseOf(ctx), name);
    const usedMs = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return { name, path, usedAt: new Date(usedMs).toISOString() };
  });
}

/** Whether a build has the folder mounted. */
export async function isCacheFolderInUse(ctx: EngineContext, name: string): Promise<boolean> {
  using lock = await tryFolder(ctx, name);
  return lock === undefined;
}

/** Removes a cache folder; false when a build has it mounted, or it is gone. */
export async function removeCacheFolder(ctx: EngineContext, name: string): Promise<boolean> {
  if (!listFolder(baseOf(ctx)).includes(name)) return false;
  using lock = await tryFolder(ctx, name);
  if (lock === undefined) return false;
  // moved first: what a kill leaves half removed is no cache any more, and the next command throws it away
  await using place = openScratch(ctx.kernel, join(ctx.paths.storage, "tmp")).folder();
  renameSync(join(baseOf(ctx), name), join(place.path, "cache"));
  return true;
}
