/**
 * Remote compose files as they were fetched. Containers may have the fetched folder to write (`.:/app`), and what they make of a compose file there
 * is not what its digest says: files that give orders are read from the untouched copy that the loader keeps.
 */
import { join, relative } from "node:path";
import type { ComposeFs, LoadOptions, RemoteLoader } from "../options.js";

/** The same options, with a file port that reads what lies in a fetched folder from its untouched copy; what the copy lacks is not there. */
export function withOriginals<T extends Pick<LoadOptions, "remotes">>(
  options: T,
  fs: ComposeFs,
): T & { readonly fs: ComposeFs } {
  const originals = new Map<string, string>();
  const remotes = options.remotes?.map(
    (loader): RemoteLoader => ({
      accepts: loader.accepts,
      async load(reference) {
        const loaded = await loader.load(reference);
        const { folder, original } = loaded;
        // the cache may be reached by another name than its own
        for (const name of folder === undefined || original === undefined
          ? []
          : [folder, fs.realpath(folder) ?? folder])
          originals.set(name, original ?? "");
        return loaded;
      },
    }),
  );
  const originalOf = (path: string): string | undefined => {
    for (const [folder, original] of originals) {
      const place = placeIn(folder, path);
      if (place === undefined) continue;
      const real = fs.realpath(join(original, place));
      const root = fs.realpath(original);
      // a link of what was fetched leads out of the copy as little as out of the folder
      return real !== undefined && root !== undefined && placeIn(root, real) !== undefined ? real : undefined;
    }
    return path;
  };
  return {
    ...options,
    ...(remotes === undefined ? {} : { remotes }),
    fs: {
      ...fs,
      readFile(path, as) {
        const original = originalOf(path);
        return original === undefined ? undefined : fs.readFile(original, as);
      },
      exists(path) {
        const original = originalOf(path);
        return original !== undefined && fs.exists(original);
      },
      isDirectory(path) {
        const original = originalOf(path);
        return original !== undefined && fs.isDirectory(original);
      },
    },
  };
}

/** `path` as seen from `folder`; undefined when it lies elsewhere. */
function placeIn(folder: string, path: string): string | undefined {
  const place = relative(folder, path);
  return place === ".." || place.startsWith("../") || place.startsWith("/") ? undefined : place;
}
