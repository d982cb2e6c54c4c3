/** The folders of one engine on disk: made, and kept from everybody else. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { TscError } from "../lib/errors.js";
import type { EnginePaths } from "./context.js";

/**
 * Makes what is missing. Store root and run root are ours alone: looser ones of ours are tightened to 0700; `TSC_FOLDER_OWNER` for
 * another user's, `TSC_FOLDER_SHARED` for a folder that is open to others and holds something else.
 */
export function makeFolders(paths: EnginePaths): void {
  const rootMade = keepToOurselves("store root", paths.root, paths.database);
  const runMade = keepToOurselves("run root", paths.runRoot, paths.locks);
  // One look on the usual path: the last folder made is there.
  const last = join(paths.runRoot, "tmp");
  if (!rootMade && !runMade && existsSync(last) && existsSync(paths.containers)) return;
  for (const path of [
    paths.containers,
    paths.locks,
    paths.netns,
    paths.containersRun,
    paths.rootfs,
    paths.exits,
    paths.supervise,
    last,
  ]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/** True when it was made now. `mark`: what is in it when it is ours. */
function keepToOurselves(what: string, path: string, mark: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return true;
  }
  if (found.uid !== process.geteuid?.()) {
    throw new TscError("TSC_FOLDER_OWNER", `${what} ${path} belongs to another user`, {
      kind: "denied",
      hint: "name a folder of your own (TSCOMPOSE_ROOT, TSCOMPOSE_RUN_ROOT)",
    });
  }
  if ((found.mode & 0o077) === 0) return false;
  if (!existsSync(mark) && readdirSync(path).length > 0) {
    throw new TscError("TSC_FOLDER_SHARED", `${what} ${path} is open to other users and holds something else`, {
      kind: "denied",
      hint: "name a folder that is for tscompose alone, or take away other users' access (chmod 700)",
    });
  }
  chmodSync(path, 0o700);
  return false;
}
