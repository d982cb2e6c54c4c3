/** Writes tar archives byte by byte, the wrong ones too: what no honest tool would make is what must be refused. */

export interface TarEntry {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly data?: string | Buffer;
  /** Overrides the size field. */
  readonly size?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** pax records put before the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  readonly brokenChecksum?: boolean;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(entry.name, 0, 100, "latin1");
  block.write(octal(entry.mode ?? 0o644, 8), 100);
  block.write(octal(entry.uid ?? 0, 8), 108);
  block.write(octal(entry.gid ?? 0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(entry.mtime ?? 1_000_000_000, 12), 136);
  block.write("        ", 148);
  block.write(entry.type ?? "0", 156, 1, "latin1");
  block.write(entry.link ?? "", 157, 100, "latin1");
  block.write("ustar\0", 257);
  block.write("00", 263);
  block.write(octal(entry.major ?? 0, 8), 329);
  block.write(octal(entry.minor ?? 0, 8), 337);
  const sum = block.reduce((total, byte) => total + byte, 0) + (entry.brokenChecksum === true ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

/** One pax record; its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** One entry with its pax header. */
export function tarEntry(entry: TarEntry): Buffer {
  const data = Buffer.from(entry.data ?? "");
  const own = Buffer.concat([header(entry, entry.size ?? data.length), padded(data)]);
  if (entry.pax === undefined) return own;
  const records = Buffer.from(
    Object.entries(entry.pax)
      .map(([key, value]) => paxRecord(key, value))
      .join(""),
  );
  return Buffer.concat([header({ name: "pax", type: "x" }, records.length), padded(records), own]);
}

/** A whole archive with its end mark. */
export function tar(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
}
