/** The loader's file port on the real file system. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { errnoOf, messageOf, TscError } from "../lib/errors.js";
import type { ComposeFs } from "./options.js";
import { decodeYaml } from "./yaml/encoding.js";

const MAX_BYTES = 64 * 1024 * 1024;

function tooLarge(path: string): TscError {
  return new TscError("TSC_COMPOSE_FILE_TOO_LARGE", `${path} is larger than 64 MiB`, { kind: "invalid-input" });
}

/** Pipes and devices tell no size, and `/dev/zero` has no end. */
function readStream(fd: number, path: string): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.alloc(64 * 1024);
    const length = readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
    total += length;
    if (total > MAX_BYTES) throw tooLarge(path);
  }
}

/** Reads with Node's synchronous calls: compose files are few and small, and every command needs them first. */
export const nodeFs: ComposeFs = {
  readFile(path, as) {
    let fd: number | undefined;
    try {
      // what is handed over by descriptor is somebody's output to come; a fifo in a folder may have nobody behind it
      const isHandedOver = /^\/(?:dev\/(?:stdin|fd\/)|proc\/(?:self|thread-self)\/fd\/)/.test(path);
      fd = openSync(path, isHandedOver ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK);
      const stat = fstatSync(fd);
      if (!isHandedOver && (stat.isFIFO() || stat.isSocket())) {
        throw new TscError("TSC_COMPOSE_FILE_UNREADABLE", `cannot read ${path}: it is a fifo`, {
          kind: "invalid-input",
          hint: "name a file, or use /dev/stdin or <(command)",
        });
      }
      if (stat.isDirectory())
        throw new TscError("TSC_COMPOSE_FILE_NOT_FOUND", `read ${path}: is a directory`, { kind: "invalid-input" });
      if (stat.size > MAX_BYTES) throw tooLarge(path);
      const bytes = stat.isFile() ? readFileSync(fd) : readStream(fd, path);
      return as === "yaml" ? decodeYaml(bytes, path) : bytes.toString("utf8");
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
  readStdin: () => decodeYaml(readFileSync(0), "-"),
};
