/** Places in the image that a Dockerfile names. Pure. */
import { posix } from "node:path";

/** No path of Linux is longer (PATH_MAX), and `resolve` takes minutes for half a megabyte of `a/../`. */
const MAX_PATH = 4096;

/** The absolute path of a word that may continue the working folder; throws what `problem` makes of one that is too long. */
export function placeIn(workingDir: string, path: string, problem: (message: string) => Error): string {
  if (path.length > MAX_PATH) throw problem(`a path of ${path.length} characters is too long`);
  return posix.resolve("/", workingDir, path);
}
