/** The loader's port to files, over texts in memory and real folders. */
import { readFileSync, statSync } from "node:fs";
import type { ComposeFs } from "../../../src/compose/index.js";

/** A file tree of absolute paths: texts given here, then real folders mounted at a path. */
export function treeFs(
  files: Readonly<Record<string, string>>,
  mounts: Readonly<Record<string, string>> = {},
): ComposeFs {
  const real = (path: string): string | undefined => {
    for (const [at, folder] of Object.entries(mounts)) {
      if (path === at) return folder;
      if (path.startsWith(`${at}/`)) return `${folder}${path.slice(at.length)}`;
    }
    return undefined;
  };
  const found = (path: string) => {
    const place = real(path);
    return place === undefined ? undefined : statSync(place, { throwIfNoEntry: false });
  };
  const isDirectory = (path: string): boolean =>
    Object.keys(files).some((file) => file.startsWith(`${path}/`)) || found(path)?.isDirectory() === true;
  return {
    readFile: (path) => {
      const text = files[path];
      if (text !== undefined) return text;
      return found(path)?.isFile() === true ? readFileSync(real(path) ?? "", "utf8") : undefined;
    },
    exists: (path) => files[path] !== undefined || isDirectory(path) || found(path) !== undefined,
    isDirectory,
    realpath: (path) =>
      files[path] !== undefined || isDirectory(path) || found(path) !== undefined ? path : undefined,
    readStdin: () => "",
  };
}
