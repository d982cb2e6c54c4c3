/** tsc-unpack against hostile and odd archives. Needs root (chroot, mknod). TSC_NATIVE_DIR chooses another build (build-sanitize). */
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { UnpackOptions, UnpackResult } from "../../../src/kernel/kernel.js";
import { unpackLayer } from "../../../src/kernel/layers.js";
import { NATIVE_DIR } from "../../helpers/native.js";
import { paxRecord, type TarEntry, tar, tarEntry } from "./tar-writer.js";

const program = join(NATIVE_DIR, "tsc-unpack");

let base = "";
let target = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "tsc-unpack-"));
  target = join(base, "target");
  mkdirSync(target);
  // What a hostile archive would like to change.
  writeFileSync(join(base, "outside"), "untouched");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function unpack(archive: Buffer, options: Partial<UnpackOptions> = {}): Promise<UnpackResult> {
  return unpackLayer(program, {
    target,
    whiteouts: "trusted",
    compression: "none",
    input: Readable.from([archive]),
    ...options,
  });
}
const read = (path: string): string => readFileSync(join(target, path), "utf8");
const isWhiteout = (path: string): boolean => {
  const stat = lstatSync(join(target, path));
  return stat.isCharacterDevice() && stat.rdev === 0;
};

describe("hostile archives", () => {
  const refused: readonly [string, readonly TarEntry[], string][] = [
    ["a path that climbs out", [{ name: "../outside", data: "x" }], "TSC_LAYER_CORRUPT"],
    ["a path that climbs out from below", [{ name: "a/b/../../../outside", data: "x" }], "TSC_LAYER_CORRUPT"],
    ["a hard link that climbs out", [{ name: "h", type: "1", link: "../outside" }], "TSC_LAYER_CORRUPT"],
    ["a hard link to nothing", [{ name: "h", type: "1", link: "/etc/shadow" }], "TSC_LAYER_CORRUPT"],
    [
      "a hard link to a folder",
      [
        { name: "d", type: "5" },
        { name: "h", type: "1", link: "d" },
      ],
      "TSC_LAYER_CORRUPT",
    ],
    ["a whiteout of the folder itself", [{ name: "d/.wh.." }], "TSC_LAYER_CORRUPT"],
    ["a whiteout of the parent", [{ name: "d/.wh..." }], "TSC_LAYER_CORRUPT"],
    ["a whiteout without a name", [{ name: "d/.wh." }], "TSC_LAYER_CORRUPT"],
    ["a folder named like a whiteout", [{ name: ".wh.d/x", data: "x" }], "TSC_LAYER_CORRUPT"],
    ["an unknown type", [{ name: "x", type: "Q" }], "TSC_LAYER_CORRUPT"],
    ["a wrong checksum", [{ name: "x", brokenChecksum: true }], "TSC_LAYER_CORRUPT"],
    ["a size beyond the end", [{ name: "x", data: "abc", size: 100_000 }], "TSC_LAYER_CORRUPT"],
    ["a symbolic link to nothing", [{ name: "l", type: "2", link: "" }], "TSC_LAYER_CORRUPT"],
    ["a NUL byte in a pax path", [{ name: "x", pax: { path: "a\0b" } }], "TSC_LAYER_CORRUPT"],
    ["a negative pax size", [{ name: "x", pax: { size: "-1" } }], "TSC_LAYER_CORRUPT"],
    ["an owner out of range", [{ name: "x", pax: { uid: "4294967295" } }], "TSC_LAYER_CORRUPT"],
    ["a name of 300 bytes", [{ name: "x", pax: { path: "n".repeat(300) } }], "TSC_LAYER_UNPACK"],
    ["a path of 5000 bytes", [{ name: "x", pax: { path: "ab/".repeat(1700) } }], "TSC_LAYER_UNPACK"],
    [
      "a sparse map outside its file",
      [{ name: "x", data: "abc", pax: { "GNU.sparse.size": "2", "GNU.sparse.map": "1,3" } }],
      "TSC_LAYER_CORRUPT",
    ],
    [
      "a file as a parent",
      [
        { name: "f", data: "x" },
        { name: "f/g", data: "y" },
      ],
      "TSC_LAYER_CORRUPT",
    ],
  ];
  test.each(refused)("%s is refused", async (_name, entries, code) => {
    await expect(unpack(tar(...entries))).rejects.toMatchObject({ code });
    expect(readFileSync(join(base, "outside"), "utf8")).toBe("untouched");
    expect(readdirSync(base).sort()).toEqual(["outside", "target"]);
  });

  test("absolute names and links land inside the target", async () => {
    await unpack(
      tar(
        { name: "/abs", data: "a" },
        { name: "link", type: "2", link: base },
        { name: "up", type: "2", link: "../../../../../.." },
        { name: "up/through", data: "b" },
      ),
    );
    expect(read("abs")).toBe("a");
    expect(read("through")).toBe("b");
    expect(existsSync(join(base, "through"))).toBe(false);
  });

  test("a symbolic link to the outside is never written through", async () => {
    await unpack(tar({ name: "out", type: "2", link: join(base, "outside") }, { name: "out", data: "replaced" }));
    expect(lstatSync(join(target, "out")).isFile()).toBe(true);
    expect(readFileSync(join(base, "outside"), "utf8")).toBe("untouched");
  });

  test("a folder swapped for a link sends nothing outside", async () => {
    await expect(
      unpack(
        tar(
          { name: "d", type: "5", mode: 0o755 },
          { name: "d/a", data: "1" },
          { name: "d", type: "2", link: base },
          { name: "d/outside", data: "evil" },
        ),
      ),
    ).rejects.toMatchObject({ code: "TSC_LAYER_CORRUPT" });
    expect(readFileSync(join(base, "outside"), "utf8")).toBe("untouched");
  });

  test("a hard link through a symbolic link stays inside", async () => {
    await expect(
      unpack(tar({ name: "s", type: "2", link: base }, { name: "h", type: "1", link: "s/outside" })),
    ).rejects.toMatchObject({ code: "TSC_LAYER_CORRUPT" });
  });

  test("overlay's own attributes are dropped, others kept", async () => {
    await unpack(
      tar({
        name: "d",
        type: "5",
        mode: 0o755,
        pax: {
          "SCHILY.xattr.trusted.overlay.redirect": "/etc",
          "SCHILY.xattr.trusted.overlay.opaque": "y",
          "SCHILY.xattr.user.kept": "1",
        },
      }),
    );
    const packed = await pack();
    expect(packed).not.toContain("overlay");
    expect(packed).toContain("SCHILY.xattr.user.kept=1");
  });

  test.each([
    ["truncated gzip", gzipSync(tar({ name: "x", data: "y".repeat(100_000) })).subarray(0, 120)],
    ["empty gzip", Buffer.alloc(0)],
    ["rubbish", Buffer.from("this is no gzip stream at all")],
    ["rubbish after a member", Buffer.concat([gzipSync(tar({ name: "x" })), Buffer.from("rubbish")])],
  ])("%s is refused", async (_name, archive) => {
    await expect(unpack(archive, { compression: "gzip" })).rejects.toMatchObject({ code: "TSC_LAYER_CORRUPT" });
  });

  test("a bomb stops at the limit", async () => {
    const bomb = gzipSync(tar({ name: "zeros", data: Buffer.alloc(50_000_000) }));
    await expect(unpack(bomb, { compression: "gzip", maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: "TSC_LAYER_TOO_BIG",
    });
    await expect(
      unpack(tar({ name: "s", data: "", pax: { "GNU.sparse.size": "99999999999", "GNU.sparse.map": "" } }), {
        maxBytes: 1_000_000,
      }),
    ).rejects.toMatchObject({ code: "TSC_LAYER_TOO_BIG" });
  });

  test("too many entries, endless extension headers and giant ones stop", async () => {
    const many = tar(...Array.from({ length: 50 }, (_, i) => ({ name: `f${i}` })));
    await expect(unpack(many, { maxEntries: 10 })).rejects.toMatchObject({ code: "TSC_LAYER_TOO_BIG" });
    const record = paxRecord("comment", "x");
    const extension = tarEntry({ name: "p", type: "x", data: record });
    await expect(unpack(Buffer.concat(Array.from({ length: 200 }, () => extension)))).rejects.toMatchObject({
      code: "TSC_LAYER_CORRUPT",
    });
    await expect(unpack(tar({ name: "p", type: "x", size: 2 ** 31 }))).rejects.toMatchObject({
      code: "TSC_LAYER_TOO_BIG",
    });
  });
});

/** The target as tsc-pack sees it, as text. */
async function pack(): Promise<string> {
  const { packLayer } = await import("../../../src/kernel/layers.js");
  const chunks: Buffer[] = [];
  for await (const chunk of packLayer(program.replace(/unpack$/, "pack"), { source: target, overlay: true })) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString("latin1");
}

describe("honest archives", () => {
  test("digests, counts and multi-member gzip", async () => {
    const archive = tar({ name: "a", data: "hello" }, { name: "b/c", data: "x".repeat(70_000) });
    const compressed = Buffer.concat([gzipSync(archive.subarray(0, 700)), gzipSync(archive.subarray(700))]);
    const result = await unpack(compressed, { compression: "gzip" });
    expect(result).toEqual({
      diffId: `sha256:${createHash("sha256").update(archive).digest("hex")}`,
      inputDigest: `sha256:${createHash("sha256").update(compressed).digest("hex")}`,
      inputBytes: compressed.length,
      sizeBytes: 70_005,
      entries: 2,
    });
    expect(read("b/c")).toHaveLength(70_000);
  });

  test("modes survive the change of owner, times and duplicates are as in the archive", async () => {
    await unpack(
      tar(
        { name: "d/", type: "5", mode: 0o750, uid: 5, gid: 6, mtime: 1_234_567_890 },
        { name: "d/su", data: "1", mode: 0o4755, uid: 7, gid: 8, mtime: 1_111_111_111 },
        { name: "d/su", data: "22", mode: 0o4755, uid: 7, gid: 8, mtime: 1_111_111_111 },
        { name: "d/hard", type: "1", link: "d/su" },
        { name: "d/hard", type: "1", link: "./d/su" },
        { name: "d/fifo", type: "6" },
      ),
    );
    const file = lstatSync(join(target, "d/su"));
    expect([file.mode & 0o7777, file.uid, file.gid, file.size, file.nlink]).toEqual([0o4755, 7, 8, 2, 2]);
    expect(file.mtimeMs).toBe(1_111_111_111_000);
    const folder = lstatSync(join(target, "d"));
    expect([folder.mode & 0o7777, folder.uid, folder.gid, folder.mtimeMs]).toEqual([0o750, 5, 6, 1_234_567_890_000]);
    expect(lstatSync(join(target, "d/fifo")).isFIFO()).toBe(true);
  });

  test("whiteouts and opaque folders, whatever the order; the entry of the layer wins", async () => {
    await unpack(
      tar(
        { name: ".wh.gone" },
        { name: "kept", data: "k" },
        { name: ".wh.kept" },
        { name: ".wh.replaced" },
        { name: "replaced/new", data: "n" },
        { name: "d/.wh..wh..opq" },
        { name: "d/x", data: "x" },
        { name: ".wh..wh.plnk/1", data: "aufs" },
      ),
    );
    expect(isWhiteout("gone")).toBe(true);
    expect(read("kept")).toBe("k");
    expect(read("replaced/new")).toBe("n");
    expect(read("d/x")).toBe("x");
    expect(existsSync(join(target, ".wh..wh.plnk"))).toBe(false);
    const packed = await pack();
    expect(packed).toContain("d/.wh..wh..opq");
    expect(packed).toContain("replaced/.wh..wh..opq");
    expect(packed).toContain(".wh.gone");
  });

  test("apply deletes what was there before and keeps what the layer brings", async () => {
    await unpack(tar({ name: "d/old", data: "o" }, { name: "d/sub/old", data: "o" }, { name: "f", data: "f" }), {
      whiteouts: "apply",
    });
    await unpack(
      tar({ name: "d/sub/new", data: "n" }, { name: "d/.wh..wh..opq" }, { name: ".wh.f" }, { name: ".wh.never" }),
      {
        whiteouts: "apply",
      },
    );
    expect(readdirSync(join(target, "d"))).toEqual(["sub"]);
    expect(readdirSync(join(target, "d/sub"))).toEqual(["new"]);
    expect(existsSync(join(target, "f"))).toBe(false);
  });

  test("squashed owners, long names, sparse files", async () => {
    const long = `${"long/".repeat(60)}name`;
    await unpack(
      tar(
        { name: "x", pax: { path: long }, data: "deep", uid: 9, gid: 9 },
        { name: "sparse", data: "abc", pax: { "GNU.sparse.size": "10", "GNU.sparse.map": "4,3" } },
        { name: "gnu", type: "L", data: `${"g".repeat(150)}\0` },
        { name: "short", data: "gnu" },
      ),
      { squashOwners: true },
    );
    expect(read(long)).toBe("deep");
    expect(lstatSync(join(target, long)).uid).toBe(0);
    expect(read("sparse")).toBe("\0\0\0\0abc\0\0\0");
    expect(read("g".repeat(150))).toBe("gnu");
  });

  test("an aborted unpack ends its helper", async () => {
    const abort = new AbortController();
    const endless = new Readable({ read() {} });
    const running = unpackLayer(
      program,
      { target, whiteouts: "trusted", compression: "none", input: endless },
      abort.signal,
    );
    abort.abort();
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    endless.destroy();
  });
});
