import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { splitArgument } from "../../../src/cli/copy/copy-files.js";
import { extractTar } from "../../../src/cli/copy/extract.js";
import { packPath } from "../../../src/cli/copy/pack.js";
import { detachScanner, parseDetachKeys } from "../../../src/cli/stdio.js";
import { encodeTarHeader, TAR_END, type TarEntry } from "../../../src/lib/tar.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-copy-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* archive(...entries: readonly Partial<TarEntry>[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield encodeTarHeader({ name: "", type: "file", mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0, ...entry });
  }
  yield TAR_END;
}
const into = (name: string) => ({ folder, name, archive: false });

describe("cp", () => {
  test("service:path against local paths", () => {
    expect(splitArgument("web:/a")).toEqual({ service: "web", path: "/a" });
    expect(splitArgument("./a:b")).toEqual({ service: "", path: "./a:b" });
    expect(splitArgument("/a:b").service).toBe("");
    expect(splitArgument("-")).toEqual({ service: "", path: "-" });
  });
  test("a folder goes through a tar and comes back under another name", async () => {
    const from = join(folder, "from");
    mkdirSync(join(from, "sub"), { recursive: true });
    writeFileSync(join(from, "sub/file"), "x".repeat(100_000));
    writeFileSync(join(from, "empty"), "");
    symlinkSync("sub/file", join(from, "link"));
    await extractTar(packPath(from, { name: "from", archive: false }), into("to"));
    expect(readFileSync(join(folder, "to/sub/file"), "utf8").length).toBe(100_000);
    expect(statSync(join(folder, "to/empty")).size).toBe(0);
    expect(readlinkSync(join(folder, "to/link"))).toBe("sub/file");
  });
  test("names never leave the folder", async () => {
    await expect(extractTar(archive({ name: "a/../../b" }), into("x"))).rejects.toMatchObject({
      code: "TSC_COPY_UNSAFE",
    });
  });
  test("an archive cannot write through a link it made", async () => {
    const outside = mkdtempSync(join(tmpdir(), "tsc-out-"));
    try {
      const tar = archive(
        { name: "top/", type: "directory", mode: 0o755 },
        { name: "top/out", type: "symlink", linkName: outside },
        { name: "top/out/file" },
      );
      await expect(extractTar(tar, into("x"))).rejects.toMatchObject({ code: "TSC_COPY_UNSAFE" });
      const hard = archive(
        { name: "top/", type: "directory", mode: 0o755 },
        { name: "top/l", type: "symlink", linkName: "/etc/passwd" },
        { name: "top/h", type: "hardlink", linkName: "top/l" },
      );
      await expect(extractTar(hard, into("y"))).rejects.toMatchObject({ code: "TSC_COPY_UNSAFE" });
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });
  test("setuid bits are dropped", async () => {
    await extractTar(archive({ name: "s", mode: 0o4755 }), into("s"));
    expect(statSync(join(folder, "s")).mode & 0o7777).toBe(0o755);
  });
});

describe("detach keys", () => {
  test("are parsed as docker writes them", () => {
    expect(parseDetachKeys("ctrl-p,ctrl-q")).toEqual([16, 17]);
    expect(parseDetachKeys("a,ctrl-@")).toEqual([97, 0]);
    expect(() => parseDetachKeys("ctrl-1")).toThrow(/invalid detach keys/);
  });
  test("are found across chunks, and what only began like them is passed on", () => {
    const scan = detachScanner([16, 17]);
    expect([...scan(Buffer.from([97, 16])).forward]).toEqual([97]);
    expect([...scan(Buffer.from([98])).forward]).toEqual([16, 98]);
    expect(scan(Buffer.from([16])).isDetach).toBe(false);
    expect(scan(Buffer.from([17])).isDetach).toBe(true);
  });
  test("a repeated first key starts anew", () => {
    const scan = detachScanner([16, 17]);
    const result = scan(Buffer.from([16, 16, 17]));
    expect([...result.forward]).toEqual([16]);
    expect(result.isDetach).toBe(true);
  });
});
