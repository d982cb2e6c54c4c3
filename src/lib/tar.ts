/** The tar format (POSIX pax, with GNU long names read) as streams of entries. No files, no rules about names. */

type TarEntryType = "file" | "directory" | "symlink" | "hardlink" | "fifo" | "char" | "block";

/** One member of a tar archive. */
export interface TarEntry {
  readonly name: string;
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; 0 for all but files. */
  readonly size: number;
  /** Seconds since the epoch, whole or not. */
  readonly mtime: number;
  readonly linkName?: string;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** Extended attributes, `SCHILY.xattr.` removed from the names. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** A member and its content, which must be read before the next member. */
export interface TarRecord {
  readonly entry: TarEntry;
  /** Must be read to its end (or left alone: it is skipped) before the next entry is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

/** A tar that ends early or is not one. */
export class TarFormatError extends Error {}

const BLOCK = 512;
/** More extended headers (pax, GNU long names) before one entry, in bytes together or in number, are an attack, not metadata. */
const MAX_PAX_BYTES = 1 << 20;
const MAX_PAX_HEADERS = 64;
const FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};
const TYPES: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** The two zero blocks that end a tar. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** Zeros that fill content of a size up to whole blocks. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Header blocks of an entry: a pax header where ustar's fields are too small, then the ustar header. Deterministic. */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const pax: Buffer[] = [];
  const addPax = (key: string, value: string | Buffer): void => {
    pax.push(paxRecord(key, typeof value === "string" ? Buffer.from(value, "utf8") : value));
  };
  const name = entry.type === "directory" && !entry.name.endsWith("/") ? `${entry.name}/` : entry.name;
  const link = entry.linkName ?? "";
  const needsPax = (text: string, limit: number): boolean =>
    Buffer.byteLength(text) > limit || /[^\x20-\x7e]/.test(text);
  if (needsPax(name, 100)) addPax("path", name);
  if (needsPax(link, 100)) addPax("linkpath", link);
  if (entry.size > 0o77777777777) addPax("size", String(entry.size));
  if (entry.uid > 0o7777777) addPax("uid", String(entry.uid));
  if (entry.gid > 0o7777777) addPax("gid", String(entry.gid));
  const whole = Math.floor(entry.mtime);
  if (whole !== entry.mtime || whole < 0) addPax("mtime", entry.mtime.toFixed(9));
  for (const [key, value] of [...(entry.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    addPax(`SCHILY.xattr.${key}`, value);
  }
  const header = ustarHeader({ ...entry, name, mtime: Math.max(0, whole) }, FLAGS[entry.type]);
  if (pax.length === 0) return header;
  const records = Buffer.concat(pax);
  const base = { mode: 0o644, uid: 0, gid: 0, mtime: 0, type: "file" as const };
  const paxHeader = ustarHeader({ ...base, name: `PaxHeaders/${name.slice(0, 80)}`, size: records.length }, "x");
  return Buffer.concat([paxHeader, records, tarPadding(records.length), header]);
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}

function ustarHeader(entry: TarEntry, flag: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, digits: number): void => {
    const limit = 8 ** digits - 1;
    header.write(Math.min(value, limit).toString(8).padStart(digits, "0"), offset, "latin1");
  };
  Buffer.from(entry.name, "utf8").subarray(0, 100).copy(header, 0);
  octal(entry.mode & 0o7777, 100, 7);
  octal(entry.uid, 108, 7);
  octal(entry.gid, 116, 7);
  octal(entry.type === "file" ? entry.size : 0, 124, 11);
  octal(entry.mtime, 136, 11);
  header.write(" ".repeat(8), 148, "latin1");
  header.write(flag, 156, "latin1");
  Buffer.from(entry.linkName ?? "", "utf8")
    .subarray(0, 100)
    .copy(header, 157);
  header.write("ustar\x0000", 257, "latin1");
  octal(entry.devMajor ?? 0, 329, 7);
  octal(entry.devMinor ?? 0, 337, 7);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** The entries of an uncompressed tar, in order. Throws `TarFormatError`. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarRecord> {
  const reader = new ByteReader(source);
  let pax = new Map<string, Buffer>();
  let extended = { headers: 0, bytes: 0 };
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) return;
    checkSum(header);
    const flag = header.toString("latin1", 156, 157);
    const size = Number(pax.get("size")?.toString() ?? numeric(header, 124, 12));
    if (!Number.isSafeInteger(size) || size < 0) throw new TarFormatError("an entry has an impossible size");
    if (flag === "x" || flag === "g" || flag === "L" || flag === "K") {
      extended = { headers: extended.headers + 1, bytes: extended.bytes + size };
      if (extended.bytes > MAX_PAX_BYTES)
        throw new TarFormatError(`an entry has ${extended.bytes} bytes of extended headers`);
      if (extended.headers > MAX_PAX_HEADERS)
        throw new TarFormatError(`an entry has more than ${MAX_PAX_HEADERS} extended headers`);
      const data = await reader.take(size);
      await reader.skip(tarPadding(size).length);
      if (data === undefined) throw new TarFormatError("the archive ends inside an extended header");
      if (flag === "x") for (const [key, value] of parsePax(data)) pax.set(key, value);
      else if (flag === "L") pax.set("path", trimZeros(data));
      else if (flag === "K") pax.set("linkpath", trimZeros(data));
      continue;
    }
    const type = TYPES[flag];
    const hasBody = type === "file" || type === undefined;
    let left = hasBody ? size : 0;
    const padding = hasBody ? tarPadding(size).length : 0;
    async function* body(): AsyncGenerator<Buffer> {
      while (left > 0) {
        const chunk = await reader.some(left);
        if (chunk === undefined) throw new TarFormatError("the archive ends inside a file");
        left -= chunk.length;
        yield chunk;
      }
    }
    if (type !== undefined) yield { entry: entryOf(header, type, size, pax), body: body() };
    await reader.skip(left + padding);
    left = 0;
    pax = new Map();
    extended = { headers: 0, bytes: 0 };
  }
}

function entryOf(header: Buffer, type: TarEntryType, size: number, pax: ReadonlyMap<string, Buffer>): TarEntry {
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? cString(header, 345, 155) : "";
  const short = cString(header, 0, 100);
  const name = pax.get("path")?.toString("utf8") ?? (prefix === "" ? short : `${prefix}/${short}`);
  const link = pax.get("linkpath")?.toString("utf8") ?? cString(header, 157, 100);
  const number = (key: string, offset: number, length: number): number =>
    Number(pax.get(key)?.toString() ?? numeric(header, offset, length));
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of pax) if (key.startsWith("SCHILY.xattr.")) xattrs.set(key.slice(13), value);
  const isFolder = type === "directory" || (type === "file" && name.endsWith("/") && size === 0);
  return {
    name,
    type: isFolder ? "directory" : type,
    mode: numeric(header, 100, 8) & 0o7777,
    uid: number("uid", 108, 8),
    gid: number("gid", 116, 8),
    size: type === "file" ? size : 0,
    mtime: number("mtime", 136, 12),
    ...(link === "" ? {} : { linkName: link }),
    ...(type === "char" || type === "block"
      ? { devMajor: numeric(header, 329, 8), devMinor: numeric(header, 337, 8) }
      : {}),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
}

function cString(header: Buffer, offset: number, length: number): string {
  return trimZeros(header.subarray(offset, offset + length)).toString("utf8");
}

function trimZeros(data: Buffer): Buffer {
  const end = data.indexOf(0);
  return end < 0 ? data : data.subarray(0, end);
}

/** Octal text, or GNU's base-256 when the first bit is set. */
function numeric(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const text = field
    .toString("latin1")
    .replace(/[\0 ]+$/g, "")
    .trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw new TarFormatError("a header field is not a number");
  return Number.parseInt(text, 8);
}

function checkSum(header: Buffer): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
  const field = header.toString("latin1", 148, 156).replace(/[\0 ]/g, "");
  if (!/^[0-7]+$/.test(field) || sum !== Number.parseInt(field, 8))
    throw new TarFormatError("this is not a tar archive (checksum)");
}

function parsePax(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < data.length && data[at] !== 0; ) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(data.toString("latin1", at, space));
    const equals = data.indexOf(0x3d, space);
    if (!Number.isInteger(length) || length < 5 || at + length > data.length || equals < 0 || equals > at + length) {
      throw new TarFormatError("a pax header is malformed");
    }
    records.set(data.toString("utf8", space + 1, equals), data.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  async #fill(): Promise<boolean> {
    const next = await this.#iterator.next();
    if (next.done === true) return false;
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    return true;
  }

  /** Exactly `length` bytes; undefined at the clean end. */
  async take(length: number): Promise<Buffer | undefined> {
    while (this.#rest.length < length) {
      if (await this.#fill()) continue;
      if (this.#rest.length === 0) return undefined;
      throw new TarFormatError("the archive ends early");
    }
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  /** Between one and `limit` bytes; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) if (!(await this.#fill())) return undefined;
    const taken = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async skip(length: number): Promise<void> {
    let left = length;
    while (left > 0) {
      const chunk = await this.some(left);
      if (chunk === undefined) return;
      left -= chunk.length;
    }
  }
}
