import { Readable } from "node:stream";
import { constants, createZstdDecompress, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { zstdFrames } from "../../../../src/engine/images/zstd-frames.js";

const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
function skippable(content: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a53, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, Buffer.from(content)]);
}
function cut(data: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < data.length; at += size) pieces.push(data.subarray(at, at + size));
  return pieces;
}
async function inflate(data: Buffer, size: number): Promise<string> {
  const inflater = createZstdDecompress();
  const source = Readable.from(zstdFrames(Readable.from(cut(data, size))), { objectMode: false });
  source.on("error", (error) => inflater.destroy(error));
  source.pipe(inflater);
  let text = "";
  for await (const chunk of inflater) text += String(chunk);
  return text;
}

const first = zstdCompressSync(Buffer.from("first ".repeat(50_000)), checked);
const second = zstdCompressSync(Buffer.from("second"));
const empty = zstdCompressSync(Buffer.alloc(0));
const want = `${"first ".repeat(50_000)}second`;

describe.each([1, 3, 4, 5, 7, 1000, 1 << 20])("in pieces of %i bytes", (size) => {
  test.each([
    ["two frames", [first, second]],
    ["a skippable frame first", [skippable("toc"), first, second]],
    ["a skippable frame between and at the end", [first, skippable(""), second, skippable("manifest")]],
    ["an empty frame", [empty, first, empty, second]],
  ])("%s", async (_, frames) => {
    expect(await inflate(Buffer.concat(frames), size)).toBe(want);
  });
  test.each([
    ["cut off", first.subarray(0, -2)],
    ["followed by rubbish", Buffer.concat([second, Buffer.from("rubbish")])],
  ])("a stream %s fails", async (_, data) => {
    await expect(inflate(data, size)).rejects.toThrow();
  });
});

test("any contents in any frames come back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 50 }),
      async (parts, size) => {
        const data = Buffer.concat(parts.map((part) => zstdCompressSync(Buffer.from(part))));
        expect(await inflate(data, size)).toBe(parts.map((part) => Buffer.from(part).toString()).join(""));
      },
    ),
    { numRuns: 40 },
  );
});
