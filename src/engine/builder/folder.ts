/** Folders that a build request names. */
import { realpathSync, statSync } from "node:fs";
import { type ErrorKind, errnoOf, TscError } from "../../lib/errors.js";

/** Never a folder, whatever `..` follows: who says which folders may be read lets these pass. */
export const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|service:)/i;

/** The real path of a folder. `TSC_BUILD_CONTEXT` for what is remote, missing or no folder. */
export function openFolder(path: string): string {
  const refuse = (what: string, kind: ErrorKind, hint: string): never => {
    throw new TscError("TSC_BUILD_CONTEXT", `build context ${path} ${what}`, { kind, hint });
  };
  if (REMOTE.test(path)) {
    const hint = "git and http contexts are not supported: fetch it, and give the folder";
    return refuse("is not on this machine", "unsupported", hint);
  }
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return refuse("leads through a file", "invalid-input", "give a folder");
    if (errnoOf(error) !== "ENOENT") throw error;
    const hint = path.includes("#")
      ? "a path is a folder as it stands: `#` and a branch belong to the address of a repository (https://…), which is not supported"
      : "make the folder, or correct the path";
    return refuse("does not exist", "not-found", hint);
  }
  return refuse("is not a folder", "invalid-input", "give the folder that holds the Dockerfile");
}
