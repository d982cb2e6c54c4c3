/** The loader's file port on the real file system. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, realpathSync, statSync } from "node:fs";
import { errnoOf, messageOf, TscError } from "../lib/errors.js";
import type { ComposeFs } from "./options.js";

const MAX_BYTES = 64 * 1024 * 1024;

/** Reads with Node's synchronous calls: compose files are few and small, and every command needs them first. */
export const nodeFs: ComposeFs = {
  readFile(path) {
    let fd: number | undefined;
    try {
      fd = openSync(path, "r");
      const stat = fstatSync(fd);
      if (stat.isDirectory())
        throw new TscError("TSC_COMPOSE_FILE_NOT_FOUND", `read ${path}: is a directory`, { kind: "invalid-input" });
      if (stat.size > MAX_BYTES)
        throw new TscError("TSC_COMPOSE_FILE_TOO_LARGE", `${path} is larger than 64 MiB`, { kind: "invalid-input" });
      return readFileSync(fd, "utf8");
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
      if (errno === undefined) throw error;
      throw new TscError("TSC_COMPOSE_FILE_UNREADABLE", `cannot read ${path}: ${messageOf(error)}`, {
        kind: errno === "EACCES" ? "denied" : "unavailable",
        cause: error,
      });
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  },
  exists: (path) => existsSync(path),
  isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  realpath(path) {
    try {
      return realpathSync(path);
    } catch {
      return undefined;
    }
  },
  readStdin: () => readFileSync(0, "utf8"),
};
