/**
 * Writes a compressed archive out as a plain tar, no further than it is one: a stream that is no tar ends at its first block, what
 * follows the end mark is not written, and what it may grow into is bounded before the disk pays for it.
 */
import { createReadStream, createWriteStream, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { errnoOf, isTscError, TscError } from "../../../lib/errors.js";
import { systemErrorAt } from "../../../lib/system-error.js";
import type { Compression } from "../compression.js";
import { zstdFrames } from "../zstd-frames.js";

/** The ratio that is believed (images reach about ten), and the size up to which none is asked. */
const RATIO = 100;
const FLOOR_BYTES = 256 * 1024 ** 2;
const BLOCK = 512;

/** A compressed file to unpack into another. */
export interface InflateRequest {
  readonly source: string;
  readonly target: string;
  readonly compression: Exclude<Compression, "none">;
  /** For messages. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

/** `TSC_IMAGE_ARCHIVE` for damage and for what is no tar, `TSC_IMAGE_ARCHIVE_TOO_BIG`, ENOSPC when the disk cannot hold it. */
export async function inflateTar({ source, target, compression, what, signal }: InflateRequest): Promise<void> {
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const { bavail, bsize } = statfsSync(dirname(target));
  const room = bavail * bsize;
  const believed = Math.max(FLOOR_BYTES, statSync(source).size * RATIO);
  const input = createReadStream(source, { highWaterMark: 1 << 18 });
  const output = createWriteStream(target, { flags: "wx", mode: 0o600 });
  const tar = (stream: AsyncIterable<Buffer>) =>
    tarOnly(stream, what, Math.min(room, believed), () =>
      room < believed ? systemErrorAt("ENOSPC", target) : tooBig(what, believed),
    );
  const options = signal === undefined ? {} : { signal };
  try {
    if (compression === "gzip") await pipeline(input, createGunzip(), tar, output, options);
    else await pipeline(input, zstdFrames, createZstdDecompress(), tar, output, options);
  } catch (error) {
    signal?.throwIfAborted();
    if (isTscError(error)) throw error;
    if (errnoOf(error) !== undefined && errnoOf(error) !== "EINVAL") throw error; // the disk's, not the archive's fault
    throw new TscError("TSC_IMAGE_ARCHIVE", `${what} is damaged`, { kind: "invalid-input", cause: error });
  }
}

function tooBig(what: string, limit: number): TscError {
  return new TscError("TSC_IMAGE_ARCHIVE_TOO_BIG", `${what} inflates to more than ${limit} bytes`, {
    kind: "denied",
    hint: "an image does not shrink that far; if this one does, decompress it yourself and load the plain tar",
  });
}

/** The bytes of a tar up to its end mark (or the end of the stream). */
async function* tarOnly(
  stream: AsyncIterable<Buffer>,
  what: string,
  limit: number,
  exceeded: () => Error,
): AsyncGenerator<Buffer> {
  let total = 0;
  /** Bytes until the next header. */
  let skip = 0;
  let header: Buffer = Buffer.alloc(0);
  let headers = 0;
  let hasEnded = false;
  for await (const chunk of stream) {
    total += chunk.length;
    if (total > limit) throw exceeded();
    if (hasEnded) continue;
    let used = chunk.length;
    for (let at = 0; at < chunk.length; ) {
      const passed = Math.min(skip, chunk.length - at);
      skip -= passed;
      at += passed;
      if (at >= chunk.length) break;
      const part = chunk.subarray(at, at + BLOCK - header.length);
      header = header.length === 0 ? part : Buffer.concat([header, part]);
      at += part.length;
      if (header.length < BLOCK) break;
      const size = bodyOf(header, what, headers++ === 0);
      if (size === undefined) {
        hasEnded = true;
        used = at;
        break;
      }
      skip = Math.ceil(size / BLOCK) * BLOCK;
      const isKnown = size < Number.MAX_SAFE_INTEGER;
      if (isKnown && total - (chunk.length - at) + skip > limit) throw exceeded();
      header = Buffer.alloc(0);
    }
    yield chunk.subarray(0, used);
  }
}

/** Bytes that follow a header; undefined for the end mark. */
function bodyOf(header: Buffer, what: string, isFirst: boolean): number | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  const checksum = Number.parseInt(header.toString("latin1", 148, 156).replace(/[\0 ]/g, ""), 8);
  if (sum !== checksum) {
    // a member whose size stands in a pax header: whoever lists the archive tells it from damage
    if (!isFirst) return Number.MAX_SAFE_INTEGER;
    throw new TscError("TSC_IMAGE_ARCHIVE", `${what}: not a tar archive (bad header checksum)`, {
      kind: "invalid-input",
    });
  }
  if (((header[124] ?? 0) & 0x80) !== 0)
    return header.subarray(125, 136).reduce((value, byte) => value * 256 + byte, 0);
  return Number.parseInt(header.toString("latin1", 124, 136).replace(/[\0 ]/g, "") || "0", 8) || 0;
}
