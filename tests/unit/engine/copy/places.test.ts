import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ContainerTree } from "../../../../src/engine/copy/places.js";
import type { Kernel } from "../../../../src/kernel/kernel.js";

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "tsc-places-")));
  for (const folder of ["root/etc", "root/data", "root/var", "vol/sub", "bind"])
    mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(base, "root/etc/passwd"), "image");
  writeFileSync(join(base, "vol/sub/f"), "v");
  writeFileSync(join(base, "bind/file"), "b");
  symlinkSync("/data", join(base, "root/link"));
  symlinkSync("../../../../../etc", join(base, "root/var/up"));
  symlinkSync("/etc/passwd", join(base, "vol/abs"));
  symlinkSync("loop", join(base, "root/loop"));
});
afterEach(() => rmSync(base, { recursive: true }));

/** Resolves lexically: the folders above a place never hold links here, the tree under test walks those itself. */
const kernel = { resolveInRoot: (root: string, path: string) => join(root, posix.resolve("/", path)) } as Kernel;

const tree = (): ContainerTree =>
  new ContainerTree(kernel, join(base, "root"), false, [
    { target: "/link/deep/file", source: join(base, "bind/file"), readOnly: true },
    { target: "/link", source: join(base, "vol"), readOnly: false },
  ]);
const at = (path: string, follow = true): string => {
  const place = tree().locate(path, follow);
  return `${place.path} ${relative(base, place.root)}:${place.relative}`;
};

describe("ContainerTree", () => {
  test("paths lead into rootfs, volumes and single files mounted inside volumes", () => {
    expect(at("/etc/passwd")).toBe("/etc/passwd root:etc/passwd");
    expect(at("/data/sub/f")).toBe("/data/sub/f vol:sub/f");
    expect(at("/link/sub/../sub/f")).toBe("/data/sub/f vol:sub/f");
    expect(at("/data/deep/file")).toBe("/data/deep/file bind:file");
    expect(tree().locate("/data/deep/file", true).readOnly).toBe(true);
    expect(at("/")).toBe("/ root:");
    expect(at("/data")).toBe("/data vol:");
  });
  test("links are resolved inside the container, wherever they lie", () => {
    expect(at("/var/up/passwd")).toBe("/etc/passwd root:etc/passwd");
    expect(at("/data/abs")).toBe("/etc/passwd root:etc/passwd");
    expect(at("/data/abs", false)).toBe("/data/abs vol:abs");
    expect(at("/../../etc")).toBe("/etc root:etc");
    expect(() => at("/loop/x")).toThrow("too many symbolic links");
  });
  test("what is missing has no stat, and mounts below a path are known", () => {
    expect(tree().locate("/etc/none/x", true).stat).toBeUndefined();
    expect(
      tree()
        .mountsBelow("/data")
        .map((mount) => mount.target),
    ).toEqual(["/data/deep/file"]);
    expect(
      tree()
        .mountsBelow("/")
        .map((mount) => mount.target),
    ).toEqual(["/data", "/data/deep/file"]);
  });
});
