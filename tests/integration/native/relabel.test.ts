/** Labels on real files: kernels without SELinux keep them as well. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { relabel, relabelOwn } from "../../../src/engine/selinux/index.js";
import { openKernel } from "../../../src/kernel/index.js";
import { NATIVE_DIR } from "../../helpers/native.js";

const kernel = openKernel({ nativeDir: NATIVE_DIR });
const LABEL = "system_u:object_r:container_file_t:s0:c1,c2";
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot("labels of files", () => {
  let base = "";
  const labelOf = (path: string): string | undefined => {
    using opened = kernel.openInRoot("/", path);
    return kernel.fileLabel(opened);
  };
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "relabel-"));
  });
  afterEach(() => {
    for (const name of ["mounted", "mounted-file"]) kernel.unmount(join(base, "tree", name), { detach: true });
    rmSync(base, { recursive: true, force: true });
  });

  test("a tree, whatever its names and modes; not what its links name, not what is mounted in it", async () => {
    const tree = join(base, "tree");
    const deep = join(tree, ...Array.from({ length: 60 }, (_, i) => `d${i}`));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "file"), "");
    writeFileSync(join(tree, "closed"), "");
    chmodSync(join(tree, "closed"), 0);
    execFileSync("mkfifo", [join(tree, "fifo")]);
    mkdirSync(join(base, "outside"));
    writeFileSync(join(base, "outside/file"), "");
    symlinkSync(join(base, "outside"), join(tree, "link"));
    mkdirSync(join(tree, "mounted"));
    kernel.mount("tmpfs", join(tree, "mounted"), "tmpfs", []);
    writeFileSync(join(tree, "mounted/file"), "");
    writeFileSync(join(tree, "mounted-file"), "");
    execFileSync("mount", ["--bind", join(base, "outside/file"), join(tree, "mounted-file")]);

    await relabelOwn(kernel, tree, LABEL);
    expect([tree, deep, join(deep, "file"), join(tree, "closed"), join(tree, "fifo")].map(labelOf)).toEqual(
      Array(5).fill(LABEL),
    );
    expect([join(base, "outside"), join(base, "outside/file"), join(tree, "mounted/file")].map(labelOf)).toEqual(
      Array(3).fill(undefined),
    );
    const read = 'import os,sys; print(os.getxattr(sys.argv[1], "security.selinux", follow_symlinks=False).decode())';
    expect(execFileSync("python3", ["-c", read, join(tree, "link")]).toString()).toContain(LABEL);
  });

  test("a folder that has the label is taken for done, a single file is labelled alone", async () => {
    const [folder, file] = [join(base, "folder"), join(base, "file")];
    mkdirSync(folder);
    await relabelOwn(kernel, folder, LABEL);
    writeFileSync(join(folder, "later"), "");
    writeFileSync(file, "");
    linkSync(file, join(base, "other"));
    await relabelOwn(kernel, folder, LABEL);
    await relabelOwn(kernel, file, LABEL);
    expect([join(folder, "later"), file, base].map(labelOf)).toEqual([undefined, LABEL, undefined]);
  });

  test("a tree without end, and a file system without labels", async () => {
    const deep = join(base, ...Array.from({ length: 500 }, () => "d"));
    mkdirSync(deep, { recursive: true });
    await expect(relabelOwn(kernel, base, LABEL)).rejects.toMatchObject({ code: "TSC_RELABEL" });
    expect(labelOf(base)).toBeUndefined();
    await relabelOwn(kernel, "/proc/self/status", LABEL);
  });

  test("folders of the host and homes, whatever name they are reached by", async () => {
    const [home, tree] = [join(base, "people/ada"), join(base, "tree")];
    for (const folder of [`${home}/data`, join(base, "other"), join(tree, "mounted")])
      mkdirSync(folder, { recursive: true });
    symlinkSync("/usr", join(base, "link"));
    symlinkSync(home, join(base, "me"));
    execFileSync("mount", ["--bind", "/etc", join(tree, "mounted")]);
    const refused = async (path: string, as?: string): Promise<void> =>
      await expect(relabel(kernel, { root: "/", path }, LABEL, as)).rejects.toMatchObject({
        code: "TSC_RELABEL",
        message: expect.stringContaining("is not allowed"),
      });
    const system = ["/", "/etc", "/home/somebody", "/proc/self", "/sys/fs", "/dev/shm"];
    for (const path of [...system.filter(existsSync), join(base, "link"), `${base}/link/../usr`, join(tree, "mounted")])
      await refused(path);
    for (const as of [home, `${home}/`, `${base}/people/../people/ada`, join(base, "me")]) {
      await refused(home, as);
      await refused(join(base, "me"), as);
      await refused(join(base, "people"), home);
    }
    for (const folder of [`${home}/data`, join(base, "other")]) {
      await relabel(kernel, { root: "/", path: folder }, LABEL, home);
      expect(labelOf(folder)).toBe(LABEL);
    }
  });
});
