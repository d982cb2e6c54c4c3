/** Folders of fetched compose files: made whole under another name, then renamed, so that nobody meets half of one. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, realpath, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { TscError } from "../../lib/errors.js";

/** `$XDG_CACHE_HOME/tscompose/remote`, mode 0700. */
function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const base = env["XDG_CACHE_HOME"];
  if (base?.startsWith("/") === true) return join(base, "tscompose/remote");
  return join(env["HOME"]?.startsWith("/") === true ? env["HOME"] : homedir(), ".cache/tscompose/remote");
}

/** What was fetched: the folder that a project works in, and a copy that only this program reads. */
export interface Fetched {
  readonly folder: string;
  readonly original: string;
}

/** The folders for `key` (path-safe, fixed content) in the cache; `fill` is called when the content is not there yet. */
export async function cachedFolder(
  env: Readonly<Record<string, string | undefined>>,
  key: string,
  fill: (folder: string) => Promise<void>,
): Promise<Fetched> {
  const folder = join(cacheRoot(env), key);
  const original = join(cacheRoot(env), "originals", key);
  await made(original, fill);
  await made(folder, (temporary) => cp(original, temporary, { recursive: true, verbatimSymlinks: true }));
  return { folder, original };
}

async function made(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const temporary = await mkdtemp(join(parent, ".new-"));
  try {
    await fill(temporary);
    await rename(temporary, folder).catch((error: unknown) => {
      // somebody else was faster; the content is the same
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The real path of `path`, which must lie inside `folder` with all links followed; undefined when there is nothing. */
async function insideOf(folder: string, path: string, reference: string): Promise<string | undefined> {
  const place = join(folder, path);
  if (!existsSync(place)) return undefined;
  const root = await realpath(folder);
  const real = await realpath(place);
  const below = relative(root, real);
  if (below === ".." || below.startsWith("../") || below.startsWith("/")) {
    throw new TscError("TSC_REMOTE_INVALID", `${reference}: ${JSON.stringify(path)} leads out of what was fetched`, {
      kind: "denied",
    });
  }
  return real;
}

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** The compose file that `path` names, or the one in the folder it names. */
export async function composeFileIn(folder: string, path: string, reference: string): Promise<string> {
  const place = await insideOf(folder, path, reference);
  if (place !== undefined && (await stat(place)).isFile()) return place;
  if (place !== undefined) {
    for (const name of NAMES) {
      const found = await insideOf(folder, join(path, name), reference);
      if (found !== undefined) return found;
    }
  }
  throw new TscError("TSC_REMOTE_INVALID", `${reference}: no compose file at ${JSON.stringify(path)}`, {
    kind: "not-found",
    hint: `looked for ${NAMES.join(", ")}`,
  });
}
