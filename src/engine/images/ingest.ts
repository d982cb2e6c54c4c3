/**
 * Takes one layer in: bytes → kept blob file and native unpacker at the same time, so that download, inflate, hashing and
 * unpacking overlap. Nothing is kept unless the digest of the bytes and the digest of the tar are the expected ones.
 */
import { createHash, type Hash } from "node:crypto";
import { statfsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { PassThrough, type Writable } from "node:stream";
import type { UnpackResult } from "../../kernel/kernel.js";
import { isTscError, messageOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { systemErrorAt } from "../../lib/system-error.js";
import type { EngineContext } from "../context.js";
import type { Storage } from "../storage/index.js";
import { type Blobs, digestOfFile } from "./blobs.js";
import { type Compression, detectCompression } from "./compression.js";
import { mismatch } from "./registry/index.js";
import { createFrameSplitter, type FrameSplitter } from "./zstd-frames.js";

/** What taking layers in needs. */
export interface IngestDeps {
  readonly ctx: EngineContext;
  readonly storage: Storage;
  readonly blobs: Blobs;
}

/** One layer on its way in. */
export interface IngestRequest {
  /** For messages. */
  readonly image: string;
  readonly source: AsyncIterable<Buffer>;
  /** Digest the bytes must have; undefined when they come without a name (docker-archive). */
  readonly digest?: string;
  /** Bytes, when known: bounds what may come out of them. */
  readonly size?: number;
  readonly diffId: string;
  readonly chainId: string;
  /** Chain id below, or "". */
  readonly parent: string;
  /** The bytes are from our own blob store already. */
  readonly isStored?: boolean;
  readonly onBytes?: (total: number) => void;
  /** All bytes are here; the unpacker may still be busy. */
  readonly onReceived?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/** Least bytes a layer may unpack to before its ratio counts, and the largest ratio believed (gzip cannot exceed 1032). */
const BOMB_FLOOR_BYTES = 8 * 1024 ** 3;
const BOMB_RATIO = 200;
const MAX_ENTRIES = 4_000_000;
/** Bytes gathered before a write: fewer system calls than one per 64 KiB read. */
const GATHER_BYTES = 256 * 1024;

/** Stores the layer; `TSC_REGISTRY_DIGEST_MISMATCH`, `TSC_IMAGE_DIFFID_MISMATCH`, `TSC_IMAGE_LAYER_INVALID`. */
export async function ingestLayer(deps: IngestDeps, request: IngestRequest): Promise<void> {
  const { storage, blobs } = deps;
  await using place = blobs.temporary();
  await using staged = await storage.stageLayer(request.parent);
  const file = request.isStored === true ? undefined : await open(place.path, "wx", 0o600);
  let received: Received;
  try {
    received = await receive(deps, request, file, staged.path, place.path);
  } finally {
    await file?.close();
  }
  if (request.digest !== undefined && received.digest !== request.digest) {
    throw mismatch(`${request.image}: layer`, request.digest, received.digest);
  }
  if (received.unpacked.diffId !== request.diffId) {
    throw new TscError(
      "TSC_IMAGE_DIFFID_MISMATCH",
      `${request.image}: layer unpacks to ${received.unpacked.diffId}, its config says ${request.diffId}; nothing was kept`,
      { kind: "denied" },
    );
  }
  if (file !== undefined) blobs.adopt(place, received.digest);
  await staged.commit({
    chainId: request.chainId,
    parent: request.parent,
    diffId: request.diffId,
    sizeBytes: received.unpacked.sizeBytes,
    blobDigest: received.digest,
  });
}

interface Received {
  readonly digest: string;
  readonly unpacked: UnpackResult;
}

async function receive(
  deps: IngestDeps,
  request: IngestRequest,
  file: FileHandle | undefined,
  target: string,
  filePath: string,
): Promise<Received> {
  const source = gather(request.source)[Symbol.asyncIterator]();
  let step = await source.next();
  const start = step.done === true ? Buffer.alloc(0) : step.value;
  const compression = detectCompression(start, `${request.image}: layer`);
  const unpacker = await startUnpacker(deps, request, compression, target);
  let total = 0;
  try {
    while (step.done !== true) {
      const chunk = step.value;
      total += chunk.length;
      unpacker.hash?.update(chunk);
      const written = file === undefined ? undefined : writeAll(file, chunk);
      try {
        await unpacker.feed(chunk);
      } finally {
        await written;
      }
      request.onBytes?.(total);
      step = await source.next();
    }
    request.onReceived?.();
    const unpacked = await unpacker.finish();
    return {
      digest: unpacker.hash === undefined ? unpacked.inputDigest : `sha256:${unpacker.hash.digest("hex")}`,
      unpacked,
    };
  } catch (error) {
    unpacker.abort();
    if (!unpacker.hasFailed() || request.signal?.aborted === true) {
      await source.return?.(undefined);
      throw error;
    }
    // damaged bytes usually show as a broken archive first: say which of the two it is
    if (file !== undefined && request.digest !== undefined) {
      for (step = await source.next(); step.done !== true; step = await source.next()) await writeAll(file, step.value);
      const digest = await digestOfFile(filePath);
      if (digest !== request.digest) throw mismatch(`${request.image}: layer`, request.digest, digest);
    }
    await source.return?.(undefined);
    throw invalidLayer(request, error);
  }
}

interface Unpacker {
  /** Hashes the input here when the helper cannot (it sees decompressed bytes). */
  readonly hash: Hash | undefined;
  feed(chunk: Buffer): Promise<void>;
  finish(): Promise<UnpackResult>;
  abort(): void;
  hasFailed(): boolean;
}

async function startUnpacker(
  deps: IngestDeps,
  request: IngestRequest,
  compression: Compression,
  target: string,
): Promise<Unpacker> {
  const { ctx, storage } = deps;
  const controller = new AbortController();
  const signal =
    request.signal === undefined ? controller.signal : AbortSignal.any([controller.signal, request.signal]);
  let sink: Writable;
  let splitter: FrameSplitter | undefined;
  let input: NodeJS.ReadableStream;
  if (compression === "zstd") {
    const { createZstdDecompress } = await import("node:zlib");
    const inflate = createZstdDecompress();
    splitter = createFrameSplitter();
    sink = inflate;
    input = inflate;
  } else {
    const pipe = new PassThrough({ highWaterMark: 4 * GATHER_BYTES });
    sink = pipe;
    input = pipe;
  }
  let failed = false;
  const { bavail, bsize } = statfsSync(target);
  const room = bavail * bsize;
  const believed = Math.max(BOMB_FLOOR_BYTES, (request.size ?? 0) * BOMB_RATIO);
  const result = ctx.kernel
    .unpackLayer(
      {
        target,
        whiteouts: storage.whiteouts,
        squashOwners: storage.squashOwners,
        // What cannot fit is refused before it has taken the room of everybody else.
        maxBytes: Math.min(room, believed),
        maxEntries: MAX_ENTRIES,
        input,
        compression: compression === "gzip" ? "gzip" : "none",
      },
      signal,
    )
    .catch((error) => {
      const isFull = room < believed && isTscError(error) && error.code === "TSC_LAYER_TOO_BIG";
      throw isFull ? systemErrorAt("ENOSPC", target) : error;
    });
  const failure = new Promise<never>((_, reject) => {
    result.catch((error) => {
      failed = true;
      reject(error);
    });
    sink.on("error", (error) => {
      failed = true;
      controller.abort(error);
      reject(error);
    });
  });
  failure.catch(() => {});
  const inFrames = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  return {
    hash: compression === "zstd" ? createHash("sha256") : undefined,
    async feed(chunk) {
      if (failed) return failure;
      let hasRoom = true;
      for (const piece of inFrames(() => splitter?.split(chunk) ?? [chunk])) hasRoom = sink.write(piece);
      if (hasRoom) return;
      const drained = Promise.withResolvers<void>();
      sink.once("drain", drained.resolve);
      await Promise.race([drained.promise, failure]);
    },
    finish() {
      inFrames(() => splitter?.finish());
      sink.end();
      return Promise.race([result, failure]);
    },
    abort: () => {
      controller.abort();
      sink.destroy();
    },
    hasFailed: () => failed,
  };
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
}

/** Joins small reads; the first piece has at least 4 bytes when there are as many. */
async function* gather(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    held.push(chunk);
    size += chunk.length;
    if (size < GATHER_BYTES) continue;
    yield held.length === 1 ? chunk : Buffer.concat(held, size);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held, size);
}

function invalidLayer(request: IngestRequest, error: unknown): unknown {
  if (isTscError(error)) return error;
  return new TscError(
    "TSC_IMAGE_LAYER_INVALID",
    `${request.image}: layer cannot be unpacked: ${printable(messageOf(error))}`,
    {
      kind: "denied",
      cause: error,
    },
  );
}
