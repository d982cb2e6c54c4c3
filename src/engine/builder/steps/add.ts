/** What ADD has beyond COPY: downloads with checksums, and local archives that are unpacked. */

import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { isTscError, messageOf, TscError } from "../../../lib/errors.js";
import { given } from "../../../lib/given.js";
import { printable } from "../../../lib/printable.js";
import { openDownloads } from "../../images/index.js";
import { contentOf, type SourceEntry } from "../context.js";
import type { StepScope } from "../deps.js";
import type { CopyInstruction } from "../dockerfile/instructions.js";
import { dockerfileError } from "../dockerfile/parse.js";
import { memoryItem, type SourceGroup, treeSources } from "./sources.js";

/** Downloads are kept in memory until their checksum is known; larger ones belong into RUN with a cache mount. */
const MAX_DOWNLOAD_BYTES = 512 << 20;

/** The groups of one ADD source. */
export async function addSources(
  scope: StepScope,
  instruction: CopyInstruction,
  source: string,
): Promise<SourceGroup[]> {
  if (/^(?:git@|git:\/\/|ssh:\/\/)|\.git(?:#|\?|$)/.test(source)) {
    throw new TscError(
      "TSC_BUILD_UNSUPPORTED",
      `${scope.file}:${instruction.line}: ADD of a git repository is not supported`,
      {
        kind: "unsupported",
        hint: "clone it in a RUN, or before the build",
      },
    );
  }
  if (/^https?:\/\//.test(source)) return [await download(scope, instruction, source)];
  if (instruction.checksum !== undefined) {
    throw dockerfileError(scope.file, instruction, "checksum can't be specified for local sources");
  }
  const groups: SourceGroup[] = [];
  for (const { entry, group } of await treeSources(scope, instruction, scope.build.context, source)) {
    const open = group.kind === "file" && instruction.unpack !== false ? await archiveReader(scope, entry) : undefined;
    if (group.kind !== "file" || open === undefined) groups.push(group);
    else groups.push({ kind: "archive", open, digest: group.item.digest });
  }
  return groups;
}

/** Opens the entry as an uncompressed tar; undefined when it is no archive docker knows. */
async function archiveReader(
  scope: StepScope,
  entry: SourceEntry,
): Promise<(() => AsyncIterable<Uint8Array>) | undefined> {
  if (!entry.stat.isFile()) return undefined;
  const head = await firstBytes(contentOf(entry), 512);
  const compression = compressionOf(head);
  if (compression === undefined) return isTarHeader(head) ? () => contentOf(entry) : undefined;
  const open = (): AsyncIterable<Uint8Array> => decompress(scope, compression, entry);
  try {
    return isTarHeader(await firstBytes(open(), 512)) ? open : undefined;
  } catch {
    // broken compression: docker copies such a file as it is
    return undefined;
  }
}

type Compression = "gzip" | "bzip2" | "xz" | "zstd";

function compressionOf(head: Buffer): Compression | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head.toString("latin1", 0, 3) === "BZh") return "bzip2";
  if (head.toString("latin1", 0, 6) === "\xfd7zXZ\0") return "xz";
  return head.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : undefined;
}

/** The ratio that is believed (sources and images reach about ten), and the size up to which none is asked. */
const RATIO = 100;
const FLOOR_BYTES = 256 << 20;

/** The content, decompressed: no more of it than an honest archive of that size has. */
async function* decompress(scope: StepScope, compression: Compression, entry: SourceEntry): AsyncGenerator<Uint8Array> {
  const limit = Math.max(FLOOR_BYTES, entry.stat.size * RATIO);
  let total = 0;
  for await (const chunk of inflated(scope, compression, entry)) {
    total += chunk.length;
    if (total > limit) {
      throw new TscError("TSC_BUILD_ARCHIVE", `ADD: ${entry.path} unpacks to more than ${limit} bytes`, {
        kind: "denied",
        hint: "an archive does not shrink that far; if this one does, decompress it yourself and ADD the plain tar",
      });
    }
    yield chunk;
  }
}

async function* inflated(scope: StepScope, compression: Compression, entry: SourceEntry): AsyncGenerator<Uint8Array> {
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const input = Readable.from(contentOf(entry), { objectMode: false });
  if (compression === "gzip" || compression === "zstd") {
    const inflate = compression === "gzip" ? createGunzip() : createZstdDecompress();
    input.on("error", (error) => inflate.destroy(error));
    try {
      yield* input.pipe(inflate);
    } finally {
      input.destroy();
      inflate.destroy();
    }
    return;
  }
  const child = scope.build.deps.ctx.kernel.spawn(compression, ["-dc"], { stdio: ["pipe", "pipe", "ignore"] });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", () =>
      reject(
        new TscError("TSC_BUILD_UNSUPPORTED", `ADD: ${compression} is not installed`, {
          kind: "unavailable",
          hint: `install ${compression === "xz" ? "xz-utils" : compression}`,
        }),
      ),
    );
    child.once("close", resolve);
  });
  closed.catch(() => {});
  try {
    // EPIPE only repeats what the exit code says
    child.stdin?.on("error", () => {});
    if (child.stdin !== null) input.pipe(child.stdin);
    yield* child.stdout as Readable;
    const code = await closed;
    if (code !== 0)
      throw new TscError("TSC_BUILD_ARCHIVE", `ADD: ${compression} ended with ${code}`, { kind: "invalid-input" });
  } finally {
    input.destroy();
    child.kill("SIGKILL");
  }
}

async function firstBytes(source: AsyncIterable<Uint8Array>, count: number): Promise<Buffer> {
  let head = Buffer.alloc(0);
  for await (const chunk of source) {
    head = Buffer.concat([head, chunk]);
    if (head.length >= count) break;
  }
  return Buffer.concat([head, Buffer.alloc(Math.max(0, count - head.length))]).subarray(0, count);
}

function isTarHeader(head: Buffer): boolean {
  const text = head.toString("latin1", 148, 156).replace(/[\0 ]/g, "");
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0x20 : (head[i] ?? 0);
  return /^[0-7]+$/.test(text) && Number.parseInt(text, 8) === sum;
}

async function download(scope: StepScope, instruction: CopyInstruction, source: string): Promise<SourceGroup> {
  const wanted = instruction.checksum === undefined ? undefined : scope.expand(instruction.checksum);
  if (wanted !== undefined && !/^sha256:[0-9a-f]{64}$/.test(wanted)) {
    throw dockerfileError(scope.file, instruction, `invalid checksum ${JSON.stringify(wanted)}: want sha256:…`);
  }
  const failed = (reason: string, cause?: unknown): TscError =>
    new TscError(
      "TSC_BUILD_DOWNLOAD",
      `${scope.file}:${instruction.line}: ADD ${printable(source)}: ${printable(reason)}`,
      {
        kind: "unavailable",
        ...given({ cause }),
      },
    );
  const url = URL.parse(source);
  if (url === null || url.username !== "" || url.password !== "") {
    throw dockerfileError(scope.file, instruction, "ADD: the address is malformed, or holds a password");
  }
  using client = await openDownloads(scope.build.deps.ctx.env);
  const { signal } = scope.build;
  let response: Awaited<ReturnType<typeof client.send>>;
  const chunks: Buffer[] = [];
  try {
    response = await client.send({ method: "GET", url, followRedirects: true, signal });
    if (response.status !== 200) throw failed(`server answered ${response.status}`);
    let size = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_DOWNLOAD_BYTES) throw failed(`more than ${MAX_DOWNLOAD_BYTES >> 20} MiB`);
      chunks.push(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw isTscError(error, "TSC_BUILD_DOWNLOAD") ? error : failed(messageOf(error), error);
  }
  const content = Buffer.concat(chunks);
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  if (wanted !== undefined && digest !== wanted) throw failed(`digest mismatch: got ${digest}, want ${wanted}`);
  const modified = Date.parse(response.headers["last-modified"] ?? "");
  const baseName = fileNameOf(url);
  if (baseName === "" || baseName === ".." || baseName.includes("/")) {
    throw dockerfileError(scope.file, instruction, `cannot determine filename from url: ${printable(source)}`);
  }
  const item = memoryItem(content, 0o600, Number.isNaN(modified) ? 0 : Math.floor(modified / 1000));
  if (instruction.unpack === true && isTarHeader(content.subarray(0, 512))) {
    return { kind: "archive", open: item.open, digest: item.digest };
  }
  return { kind: "file", baseName, item };
}

function fileNameOf(url: URL): string {
  try {
    return decodeURIComponent(url.pathname.split("/").pop() ?? "");
  } catch {
    // a stray percent sign
    return "";
  }
}
