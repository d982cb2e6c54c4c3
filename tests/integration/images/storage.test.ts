/** The storage drivers with real mounts: overlay, fuse-overlayfs and copies give the same trees. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { findFuseOverlayfs } from "../../../src/engine/storage/drivers/fuse-overlayfs.js";
import { temporaryRootfsId } from "../../../src/engine/storage/index.js";
import { openTestEngine, type TestEngine } from "./context.js";
import { sha256 } from "./fixtures.js";

/** Stores a layer with one more file on top of `parent`; its chain id. */
async function addLayer(engine: TestEngine, parent: string, name: string): Promise<string> {
  const chainId = sha256(Buffer.from(`${parent} ${name}`));
  await using staged = await engine.storage.stageLayer(parent);
  writeFileSync(join(staged.path, name), name);
  await staged.commit({ chainId, parent, diffId: chainId, sizeBytes: 1, blobDigest: "" });
  return chainId;
}

const drivers = ["overlay", ...(findFuseOverlayfs() === undefined ? [] : ["fuse-overlayfs"]), "vfs"];

describe.each(drivers)("%s", (driver) => {
  const env = { TSCOMPOSE_STORAGE_DRIVER: driver };
  // What lies under every container that is stacked from layers.
  const under = driver === "vfs" ? [] : ["dev", "etc", "proc", "sys"];
  const names = (...more: string[]) => [...under, ...more].sort();

  test("a container sees its layers, its changes stay apart and survive a remount", async () => {
    await using engine = await openTestEngine({ env });
    expect(engine.storage.driver).toBe(driver);
    const one = await addLayer(engine, "", "one");
    const two = await addLayer(engine, one, "two");
    for (const id of ["c1", "c2"]) await engine.storage.createRootfs(id, two);
    const first = await engine.storage.mountRootfs("c1");
    expect(await engine.storage.mountRootfs("c1")).toBe(first);
    expect(readdirSync(first).sort()).toEqual(names("one", "two"));
    expect(lstatSync(first).mode & 0o7777).toBe(0o755);
    writeFileSync(join(first, "mine"), "mine");
    rmSync(join(first, "one"));
    await engine.storage.unmountRootfs("c1");
    await engine.storage.unmountRootfs("c1");
    expect(existsSync(first)).toBe(false);
    expect(readdirSync(await engine.storage.mountRootfs("c1")).sort()).toEqual(names("mine", "two"));
    expect(readdirSync(await engine.storage.mountRootfs("c2")).sort()).toEqual(names("one", "two"));
    expect(engine.storage.topOf("c1")).toBe(two);
    for (const id of ["c1", "c2", "never"]) await engine.storage.removeRootfs(id);
    expect(readdirSync(join(engine.ctx.paths.storage, "containers"))).toEqual([]);
    expect(readdirSync(engine.ctx.paths.rootfs)).toEqual([]);
  });

  test("an image is mounted read-only, an empty rootfs has mount points alone", async () => {
    await using engine = await openTestEngine({ env });
    const one = await addLayer(engine, "", "one");
    const folder = await engine.storage.mountImage("i1", one);
    expect(await engine.storage.mountImage("i1", one)).toBe(folder);
    // at the same time, too: one unmount leaves nothing
    const both = await Promise.all([engine.storage.mountImage("i2", one), engine.storage.mountImage("i2", one)]);
    await engine.storage.unmountImage("i2");
    expect(both.map((path) => existsSync(path))).toEqual([false, false]);
    expect(readdirSync(folder)).toEqual(["one"]);
    expect(() => writeFileSync(join(folder, "x"), "x")).toThrow(/EROFS|EPERM/);
    await engine.storage.unmountImage("i1");
    await engine.storage.createRootfs("empty", "");
    const rootfs = await engine.storage.mountRootfs("empty");
    expect(readdirSync(rootfs).sort()).toEqual(names());
    writeFileSync(join(rootfs, "x"), "x");
    await engine.storage.removeRootfs("empty");
  });

  test("a layer is not removed while something stands on it", async () => {
    await using engine = await openTestEngine({ env });
    const one = await addLayer(engine, "", "one");
    const two = await addLayer(engine, one, "two");
    await engine.storage.createRootfs("c1", two);
    expect(await engine.storage.removeLayers([one, two])).toEqual([]);
    await engine.storage.removeRootfs("c1");
    expect(await engine.storage.removeLayers([one])).toEqual([]);
    expect(await engine.storage.removeLayers([one, two])).toEqual([two, one]);
    await expect(engine.storage.createRootfs("c2", two)).rejects.toMatchObject({ code: "TSC_STORAGE_LAYER_MISSING" });
  });
});

test("128 layers are mounted", async () => {
  await using engine = await openTestEngine();
  let top = "";
  for (let i = 0; i < 128; i++) top = await addLayer(engine, top, `layer-${i}`);
  await engine.storage.createRootfs("deep", top);
  const names = readdirSync(await engine.storage.mountRootfs("deep"));
  expect(names.filter((name) => name.startsWith("layer-"))).toHaveLength(128);
  await engine.storage.removeRootfs("deep");
});

test("the driver is tried once per boot", async () => {
  let mounts = 0;
  await using engine = await openTestEngine({
    kernel: (real) => ({
      ...real,
      async mountOverlay(mount) {
        mounts++;
        await real.mountOverlay(mount);
      },
    }),
  });
  expect(mounts).toBe(1);
  await engine.reopen();
  expect(mounts).toBe(1);
});

test("where overlay cannot be mounted the next driver is taken, and a store keeps its kind", async () => {
  const broken = (real: TestEngine["ctx"]["kernel"]) => ({
    ...real,
    async mountOverlay() {
      throw Object.assign(new Error("EINVAL: mount"), { code: "EINVAL" });
    },
  });
  await using engine = await openTestEngine({ kernel: broken });
  expect(engine.storage.driver).toBe(findFuseOverlayfs() === undefined ? "vfs" : "fuse-overlayfs");
});

test("mount points: the image's own come first, any user may walk through, and a build's rootfs has none", async () => {
  const umask = process.umask(0o077);
  try {
    await using engine = await openTestEngine({ env: { TSCOMPOSE_STORAGE_DRIVER: "overlay" } });
    await using staged = await engine.storage.stageLayer("");
    mkdirSync(join(staged.path, "etc"), { mode: 0o700 });
    writeFileSync(join(staged.path, "etc/hosts"), "the image's");
    symlinkSync("usr/sys", join(staged.path, "sys"));
    const chainId = sha256(Buffer.from("with etc"));
    await staged.commit({ chainId, parent: "", diffId: chainId, sizeBytes: 0, blobDigest: "" });
    await engine.storage.createRootfs("c1", chainId);
    const rootfs = await engine.storage.mountRootfs("c1");
    expect(readdirSync(join(rootfs, "etc")).sort()).toEqual(["hostname", "hosts", "resolv.conf"]);
    expect(readFileSync(join(rootfs, "etc/hosts"), "utf8")).toBe("the image's");
    const modes = ["etc", "proc", "etc/hostname"].map((name) => lstatSync(join(rootfs, name)).mode & 0o7777);
    expect(modes).toEqual([0o700, 0o755, 0o644]);
    expect(lstatSync(join(rootfs, "sys")).isSymbolicLink()).toBe(true);
    expect(readdirSync(engine.storage.writableDir("c1"))).toEqual([]);
    const build = temporaryRootfsId(engine.ctx.kernel);
    await engine.storage.createRootfs(build, chainId);
    expect(readdirSync(await engine.storage.mountRootfs(build)).sort()).toEqual(["etc", "sys"]);
    for (const id of ["c1", build]) await engine.storage.removeRootfs(id);
  } finally {
    process.umask(umask);
  }
});

test("the root folder of a rootfs has the mode of the image's", async () => {
  await using engine = await openTestEngine();
  await using staged = await engine.storage.stageLayer("");
  const { chmodSync, chownSync } = await import("node:fs");
  chownSync(staged.path, 5, 6);
  chmodSync(staged.path, 0o1711);
  const chainId = sha256(Buffer.from("odd root"));
  await staged.commit({ chainId, parent: "", diffId: chainId, sizeBytes: 0, blobDigest: "" });
  await engine.storage.createRootfs("odd", chainId);
  const { mode, uid, gid } = lstatSync(await engine.storage.mountRootfs("odd"));
  expect([mode & 0o7777, uid, gid]).toEqual([0o1711, 5, 6]);
  await engine.storage.removeRootfs("odd");
});

test.each(["../x", "a/b", "", ".", "..", "a\n"])("the key %j cannot leave the folder", async (key) => {
  await using engine = await openTestEngine();
  await expect(engine.storage.createRootfs(key, "")).rejects.toMatchObject({ code: "TSC_STORAGE_KEY" });
  await expect(engine.storage.removeRootfs(key)).rejects.toMatchObject({ code: "TSC_STORAGE_KEY" });
  await expect(engine.storage.mountImage(`${key}/..`, "")).rejects.toMatchObject({ code: "TSC_STORAGE_KEY" });
});

test("removing a rootfs does not follow links out of it", async () => {
  await using engine = await openTestEngine();
  const outside = join(engine.ctx.paths.root, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "kept");
  await engine.storage.createRootfs("links", "");
  symlinkSync(outside, join(await engine.storage.mountRootfs("links"), "out"));
  await engine.storage.removeRootfs("links");
  expect(readFileSync(join(outside, "file"), "utf8")).toBe("kept");
});
