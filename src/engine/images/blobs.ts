/** The content-addressed store: images/blobs/sha256/HEX, written under images/tmp first and moved when verified. */
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { openScratch, type ScratchPlace } from "../storage/index.js";
import { checkDigest, digestHex, digestOf } from "./digest.js";

/** The content-addressed files of the store; digests are `sha256:…`. */
export interface Blobs {
  has(digest: string): boolean;
  /** Bytes; `TSC_IMAGE_BLOB_MISSING`. */
  size(digest: string): number;
  /** A whole small blob, checked against its digest; `TSC_IMAGE_BLOB_MISSING`, `TSC_IMAGE_BLOB_DAMAGED`. */
  read(digest: string): Buffer;
  open(digest: string): NodeJS.ReadableStream & AsyncIterable<Buffer>;
  path(digest: string): string;
  /** Stores a small blob; its digest. */
  put(data: Uint8Array): string;
  /** A path for a blob in the making. */
  temporary(): ScratchPlace;
  /** Moves a finished file in; the caller has verified that it has this digest. */
  adopt(place: ScratchPlace, digest: string): void;
  remove(digest: string): void;
  removeStale(): Promise<void>;
}

/** Opens the blob store under paths.images; nothing is made before the first write. */
export function openBlobs(ctx: EngineContext): Blobs {
  const folder = join(ctx.paths.images, "blobs", "sha256");
  const scratch = openScratch(ctx.kernel, join(ctx.paths.images, "tmp"));
  const path = (digest: string) => join(folder, digestHex(checkDigest(digest, "blob")));
  const missing = (digest: string) =>
    new TscError("TSC_IMAGE_BLOB_MISSING", `blob ${digest} is not stored`, {
      kind: "not-found",
      hint: "pull the image again",
    });
  return {
    path,
    has: (digest) => existsSync(path(digest)),
    size(digest) {
      const stat = statSync(path(digest), { throwIfNoEntry: false });
      if (stat === undefined) throw missing(digest);
      return stat.size;
    },
    read(digest) {
      let data: Buffer;
      try {
        data = readFileSync(path(digest));
      } catch (error) {
        throw errnoOf(error) === "ENOENT" ? missing(digest) : error;
      }
      if (digestOf(data) !== digest) {
        throw new TscError("TSC_IMAGE_BLOB_DAMAGED", `stored blob ${digest} is damaged`, {
          hint: "remove the image and pull it again",
        });
      }
      return data;
    },
    open: (digest) => createReadStream(path(digest), { highWaterMark: 1 << 18 }),
    put(data) {
      const digest = digestOf(data);
      const target = path(digest);
      if (!existsSync(target)) {
        const place = scratch.file();
        writeFileSync(place.path, data, { mode: 0o600, flush: true });
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        renameSync(place.path, target);
      }
      return digest;
    },
    temporary: () => scratch.file(),
    adopt(place, digest) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      renameSync(place.path, path(digest));
    },
    remove(digest) {
      rmSync(path(digest), { force: true });
    },
    removeStale: () => scratch.removeStale(),
  };
}

/** sha256 of a file, read as a stream. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}
