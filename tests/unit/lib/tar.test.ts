import { describe, expect, test } from "@jest/globals";
import { encodeTarHeader, readTar, TAR_END, type TarEntry, tarPadding } from "../../../src/lib/tar.js";

async function* chunked(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function roundTrip(entries: readonly { entry: TarEntry; content?: string }[], size: number) {
  const parts = entries.flatMap(({ entry, content = "" }) => [
    encodeTarHeader(entry),
    Buffer.from(content),
    tarPadding(Buffer.byteLength(content)),
  ]);
  const result: { entry: TarEntry; content: string }[] = [];
  for await (const { entry, body } of readTar(chunked(Buffer.concat([...parts, TAR_END]), size))) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    result.push({ entry, content: Buffer.concat(chunks).toString() });
  }
  return result;
}

const file: TarEntry = { name: "a", type: "file", mode: 0o644, uid: 1, gid: 2, size: 5, mtime: 3 };

describe("tar", () => {
  test.each([1, 511, 512, 65_536])("survives a round trip in pieces of %i bytes", async (size) => {
    const long = `${"d/".repeat(80)}ünï`;
    const entries = [
      { entry: { ...file, xattrs: new Map([["security.capability", Buffer.from([1, 0, 10, 61])]]) }, content: "hello" },
      { entry: { ...file, name: long, type: "directory" as const, size: 0, uid: 0o7777777 + 5 } },
      { entry: { ...file, name: "l", type: "symlink" as const, size: 0, linkName: "x".repeat(150) } },
      { entry: { ...file, name: "dev", type: "char" as const, size: 0, devMajor: 1, devMinor: 3 } },
    ];
    const seen = await roundTrip(entries, size);
    expect(seen.map(({ entry }) => entry.name)).toEqual(["a", `${long}/`, "l", "dev"]);
    expect(seen[0]).toEqual({ entry: entries[0]?.entry, content: "hello" });
    expect(seen[1]?.entry.uid).toBe(0o7777777 + 5);
    expect(seen[2]?.entry.linkName).toBe("x".repeat(150));
    expect(seen[3]?.entry).toMatchObject({ devMajor: 1, devMinor: 3 });
  });
  test("a body left unread is skipped", async () => {
    const data = Buffer.concat([
      encodeTarHeader(file),
      Buffer.from("hello"),
      tarPadding(5),
      encodeTarHeader({ ...file, name: "b", size: 0 }),
      TAR_END,
    ]);
    const names: string[] = [];
    for await (const { entry } of readTar(chunked(data, 100))) names.push(entry.name);
    expect(names).toEqual(["a", "b"]);
  });
  test("a chain of extended headers before one entry is an attack", async () => {
    const headersOf = (key: string, bytes: number): Buffer => {
      const whole = encodeTarHeader({ ...file, xattrs: new Map([[`user.${key}`, Buffer.alloc(bytes)]]) });
      return whole.subarray(0, whole.length - 512);
    };
    const read = async (chain: readonly Buffer[]) => {
      const data = Buffer.concat([...chain, encodeTarHeader({ ...file, size: 0 }), TAR_END]);
      const entries: TarEntry[] = [];
      for await (const { entry } of readTar(chunked(data, 65_536))) entries.push(entry);
      return entries;
    };
    const small = Array.from({ length: 60 }, (_, i) => headersOf(`k${i}`, 10));
    expect((await read(small))[0]?.xattrs?.size).toBe(60);
    await expect(read([headersOf("a", 600_000), headersOf("b", 600_000)])).rejects.toThrow("bytes of extended headers");
    await expect(read([...small, ...small])).rejects.toThrow("more than 64 extended headers");
  });
  test("rubbish and short archives are errors", async () => {
    const read = async (data: Buffer) => {
      for await (const { body } of readTar(chunked(data, 512))) for await (const chunk of body) void chunk;
    };
    await expect(read(Buffer.alloc(1024, "x"))).rejects.toThrow("not a tar archive");
    await expect(read(Buffer.concat([encodeTarHeader(file), Buffer.from("he")]))).rejects.toThrow("ends inside a file");
    await expect(read(encodeTarHeader(file).subarray(0, 100))).rejects.toThrow("ends early");
  });
});
