/** The same image under every driver: deletions, replaced folders, links and owners come out the same. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { chainIdOf } from "../../../src/engine/images/index.js";
import { findFuseOverlayfs } from "../../../src/engine/storage/drivers/fuse-overlayfs.js";
import { type Registry, startRegistry } from "../../helpers/registry.js";
import { openTestEngine, type TestEngine } from "./context.js";
import { putImage } from "./fixtures.js";

let registry: Registry;
let folder = "";
beforeAll(async () => {
  registry = await startRegistry();
  folder = mkdtempSync(join(tmpdir(), "tsc-drivers-"));
  const base = layer((at) => {
    mkdirSync(at("gone/deep"), { recursive: true });
    writeFileSync(at("gone/deep/file"), "x");
    mkdirSync(at("opaque"));
    writeFileSync(at("opaque/old"), "x");
    mkdirSync(at("merged"));
    writeFileSync(at("merged/base"), "base");
    writeFileSync(at("file"), "one");
    writeFileSync(at("becomes-dir"), "x");
  });
  const middle = layer((at) => {
    writeFileSync(at(".wh.gone"), "");
    mkdirSync(at("opaque"));
    writeFileSync(at("opaque/.wh..wh..opq"), "");
    writeFileSync(at("opaque/new"), "new");
    mkdirSync(at("merged"));
    writeFileSync(at("merged/middle"), "middle");
    mkdirSync(at("becomes-dir"));
    writeFileSync(at("becomes-dir/inside"), "inside");
  });
  const top = layer((at) => {
    writeFileSync(at(".wh.file"), "");
    mkdirSync(at("merged"));
    writeFileSync(at("merged/.wh.base"), "");
    symlinkSync("../opaque", at("merged/link"));
  });
  await putImage(registry.address, "tree", "1", {
    layers: [{ tar: base }, { tar: middle, packing: "zstd" }, { tar: top, packing: "none" }],
  });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function layer(fill: (at: (path: string) => string) => void): Buffer {
  const root = mkdtempSync(join(folder, "l-"));
  fill((path) => join(root, path));
  return execFileSync("tar", [
    "--owner=1234",
    "--group=5678",
    "--numeric-owner",
    "--sort=name",
    "-C",
    root,
    "-cf",
    "-",
    ".",
  ]);
}

const expected = [
  "becomes-dir d 1234:5678",
  "becomes-dir/inside f 1234:5678",
  "merged d 1234:5678",
  "merged/link l 1234:5678",
  "merged/middle f 1234:5678",
  "opaque d 1234:5678",
  "opaque/new f 1234:5678",
];

async function tree(engine: TestEngine, top: string): Promise<string[]> {
  // a container's rootfs has mount points beside the image
  await using view = await engine.storage.viewImage(top);
  return execFileSync("find", [view.path, "-mindepth", "1", "-printf", "%P %y %U:%G\n"], { encoding: "utf8" })
    .trim()
    .split("\n")
    .sort();
}

test.each(["overlay", ...(findFuseOverlayfs() === undefined ? [] : ["fuse-overlayfs"]), "vfs"])(
  "%s",
  async (driver) => {
    await using engine = await openTestEngine({ env: { TSCOMPOSE_STORAGE_DRIVER: driver } });
    const image = await engine.images.pull(`${registry.address}/tree:1`);
    expect(await tree(engine, chainIdOf(image.diffIds))).toEqual(expected);

    // a change on top, committed and pushed, is the same tree for somebody with overlay
    await engine.storage.createRootfs("b", chainIdOf(image.diffIds));
    const merged = await engine.storage.mountRootfs("b");
    rmSync(join(merged, "opaque"), { recursive: true });
    writeFileSync(join(merged, "added"), "added");
    await engine.storage.unmountRootfs("b");
    const committed = await engine.images.commitLayer({
      source: engine.storage.writableDir("b"),
      parent: chainIdOf(image.diffIds),
      mode: "move",
    });
    await engine.storage.removeRootfs("b");
    const name = `${registry.address}/tree-${driver}:1`;
    await engine.images.createImage({
      config: engine.images.readConfig(image.id),
      topChainId: committed.chainId,
      tags: [name],
    });
    await engine.images.push(name);
    await using other = await openTestEngine();
    const pulled = await other.images.pull(name);
    const wanted = [...expected.filter((line) => !line.startsWith("opaque")), "added f 0:0"].sort();
    expect(await tree(other, chainIdOf(pulled.diffIds))).toEqual(wanted);
    expect(await tree(engine, committed.chainId)).toEqual(wanted);
  },
);

test("with a single uid every file is ours", async () => {
  await using engine = await openTestEngine({ env: { TSCOMPOSE_ID_MAPPING: "single" } });
  const image = await engine.images.pull(`${registry.address}/tree:1`);
  const owners = new Set((await tree(engine, chainIdOf(image.diffIds))).map((line) => line.split(" ")[2]));
  expect([...owners]).toEqual([`${process.getuid?.()}:${process.getgid?.()}`]);
});
