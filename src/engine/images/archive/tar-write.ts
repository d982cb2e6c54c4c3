/** Writes a tar file of plain members with known sizes (ustar; base-256 sizes past 8 GiB). */
import type { FileHandle } from "node:fs/promises";

const BLOCK = 512;

/** Appends members to an open file; times are 0 so that equal images give equal archives. */
export interface TarWriter {
  add(name: string, data: Uint8Array): Promise<void>;
  /** `size` bytes must come out of `source`. */
  addStream(name: string, size: number, source: AsyncIterable<Buffer>): Promise<void>;
  /** Writes the end marker. */
  finish(): Promise<void>;
}

/** A writer on `file`, which the caller closes. Names must be shorter than 100 bytes. */
export function createTarWriter(file: FileHandle): TarWriter {
  const write = async (data: Uint8Array) => {
    for (let done = 0; done < data.length; ) done += (await file.write(data, done)).bytesWritten;
  };
  const pad = (size: number) => write(Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));
  return {
    async add(name, data) {
      await write(header(name, data.length));
      await write(data);
      await pad(data.length);
    },
    async addStream(name, size, source) {
      await write(header(name, size));
      let total = 0;
      for await (const chunk of source) {
        total += chunk.length;
        await write(chunk);
      }
      if (total !== size) throw new Error(`${name} has ${total} bytes instead of ${size}`);
      await pad(size);
    },
    finish: () => write(Buffer.alloc(2 * BLOCK)),
  };
}

function header(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) >= 100) throw new Error(`tar member name ${name} is too long`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  if (size < 8 ** 11) block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\0", 257);
  block.write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
