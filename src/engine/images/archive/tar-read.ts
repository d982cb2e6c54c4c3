/**
 * Reads members of a plain tar file in place (POSIX ustar, pax, GNU long names). For archives that carry images: nothing is
 * unpacked, names never become paths, links are followed inside the archive only.
 */
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { TscError } from "../../../lib/errors.js";

interface TarMember {
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** A tar file that members are read from by name. */
export interface TarFile {
  /** The regular file of that name, links resolved; undefined when there is none. */
  member(name: string): TarMember | undefined;
  /** A whole small member; `TSC_IMAGE_ARCHIVE` when it is larger than `limit` or missing. */
  read(name: string, limit: number): Promise<Buffer>;
  stream(member: TarMember): AsyncIterable<Buffer>;
}

const BLOCK = 512;
const MAX_MEMBERS = 100_000;
const MAX_EXTENDED = 1024 * 1024;
/** Extended headers of the whole archive: names are kept in memory. */
const MAX_EXTENDED_SUM = 64 * 1024 * 1024;
/** PATH_MAX; images name their members by digests. */
const MAX_NAME = 4096;
const MAX_LINKS = 10;

function broken(what: string, reason: string): TscError {
  return new TscError("TSC_IMAGE_ARCHIVE", `${what}: ${reason}`, { kind: "invalid-input" });
}

/** Lists an open tar file; `what` names it in errors. `TSC_IMAGE_ARCHIVE` for anything malformed. */
export async function openTar(file: FileHandle, path: string, what: string, signal?: AbortSignal): Promise<TarFile> {
  const files = new Map<string, TarMember>();
  const links = new Map<string, string>();
  const { size: total } = await file.stat();
  const block = Buffer.alloc(BLOCK);
  let pax: Record<string, string> = {};
  let longName: string | undefined;
  let longLink: string | undefined;
  let extended = 0;
  for (let at = 0, count = 0; at + BLOCK <= total; ) {
    signal?.throwIfAborted();
    await file.read(block, 0, BLOCK, at);
    if (block.every((byte) => byte === 0)) break;
    if (++count > MAX_MEMBERS) throw broken(what, `more than ${MAX_MEMBERS} members`);
    checkHeader(block, what);
    const type = String.fromCharCode(block[156] ?? 0);
    const paxSize = pax.size === undefined ? undefined : Number(pax.size);
    const size = paxSize ?? readNumber(block.subarray(124, 136), what);
    const offset = at + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || offset + size > total)
      throw broken(what, "a member runs past the end");
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      extended += size;
      if (size > MAX_EXTENDED || extended > MAX_EXTENDED_SUM) throw broken(what, "an extended header is too large");
      const data = Buffer.alloc(size);
      await file.read(data, 0, size, offset);
      if (type === "x") pax = parsePax(data, what);
      else if (type === "L") longName = data.toString("utf8").replace(/\0.*$/s, "");
      else if (type === "K") longLink = data.toString("utf8").replace(/\0.*$/s, "");
      continue;
    }
    const prefix = block.toString("latin1", 257, 262) === "ustar" ? readText(block.subarray(345, 500)) : "";
    const shortName = readText(block.subarray(0, 100));
    const written = pax.path ?? longName ?? (prefix === "" ? shortName : `${prefix}/${shortName}`);
    const link = pax.linkpath ?? longLink ?? readText(block.subarray(157, 257));
    if (written.length > MAX_NAME || link.length > MAX_NAME) throw broken(what, "a member's name is too long");
    const name = clean(written);
    if (type === "0" || type === "\0" || type === "7") {
      files.set(name, { offset, size });
      links.delete(name);
    } else if (type === "1") links.set(name, clean(link));
    else if (type === "2") links.set(name, clean(posix.join(posix.dirname(name), link)));
    pax = {};
    longName = undefined;
    longLink = undefined;
  }
  const member = (name: string): TarMember | undefined => {
    if (name.length > MAX_NAME) return undefined;
    let current = clean(name);
    for (let hops = 0; hops < MAX_LINKS; hops++) {
      const found = files.get(current);
      if (found !== undefined) return found;
      const next = links.get(current);
      if (next === undefined) return undefined;
      current = next;
    }
    return undefined;
  };
  return {
    member,
    async read(name, limit) {
      const found = member(name);
      if (found === undefined) throw broken(what, `${name} is missing`);
      if (found.size > limit) throw broken(what, `${name} is larger than ${limit} bytes`);
      const data = Buffer.alloc(found.size);
      await file.read(data, 0, found.size, found.offset);
      return data;
    },
    stream: ({ offset, size }) =>
      size === 0
        ? emptyStream()
        : createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 }),
  };
}

async function* emptyStream(): AsyncGenerator<Buffer> {}

/** Of a name that is no longer than `MAX_NAME`: `normalize` takes minutes for half a megabyte of `a/../`. */
function clean(name: string): string {
  return posix.normalize(`/${name}`).slice(1);
}

function readText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? field.length : end);
}

/** Octal, or base 256 when the top bit is set (GNU). */
function readNumber(field: Buffer, what: string): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const text = readText(field).trim();
  if (!/^[0-7]*$/.test(text)) throw broken(what, "not a tar archive");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function checkHeader(block: Buffer, what: string): void {
  const wanted = readNumber(block.subarray(148, 156), what);
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  if (sum !== wanted) throw broken(what, "not a tar archive (bad header checksum)");
}

function parsePax(data: Buffer, what: string): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString("latin1", at, space));
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > data.length)
      throw broken(what, "bad pax header");
    const record = data.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals > 0) records[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return records;
}
