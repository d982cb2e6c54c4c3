import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ContainerTree, openMount } from "../../../src/engine/container-tree.js";
import type { Kernel } from "../../../src/kernel/kernel.js";

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
const kernel: Pick<Kernel, "openInRoot"> = {
  openInRoot(root, path) {
    const host = join(root, posix.resolve("/", path));
    const within = relative(root, host);
    return { descriptor: -1, path: host, within, stat: () => lstatSync(host), [Symbol.dispose]: () => {} };
  },
};

const tree = (): ContainerTree => {
  const made = new ContainerTree(kernel as Kernel, join(base, "root"));
  made.mount("/link", openMount(kernel as Kernel, join(base, "vol")), false);
  made.mount("/link/deep/file", openMount(kernel as Kernel, join(base, "bind/file")), true);
  return made;
};
const at = (path: string, follow = true): string => {
  const place = tree().locate(path, follow);
  return `${place.path} ${relative(base, place.root?.path ?? "")}:${place.relative}`;
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
  test("inside a mount that cannot be seen nothing is found, and what it covers is not either", () => {
    const made = tree();
    made.mount("/etc", { folder: undefined, file: "" }, false);
    expect(made.locate("/etc/passwd", true)).toMatchObject({ path: "/etc/passwd", root: undefined, stat: undefined });
    expect(made.locate("/data/abs", true)).toMatchObject({ path: "/etc/passwd", root: undefined });
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
