/** What stays and what goes: names, removal, shared layers, leavings of killed commands, races between commands. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { chainIdOf } from "../../../src/engine/images/index.js";
import { type Registry, startRegistry } from "../../helpers/registry.js";
import { openTestEngine, type TestEngine } from "./context.js";
import { putImage, tarOf } from "./fixtures.js";

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
  const shared = tarOf({ shared: "shared" });
  await putImage(registry.address, "a", "1", { layers: [{ tar: shared }, { tar: tarOf({ a: "a" }) }] });
  await putImage(registry.address, "b", "1", { layers: [{ tar: shared }, { tar: tarOf({ b: "b" }) }] });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
});

const onDisk = (engine: TestEngine) => ({
  layers: readdirSync(join(engine.ctx.paths.storage, "layers")).length,
  links: readdirSync(join(engine.ctx.paths.storage, "l")).length,
  blobs: readdirSync(join(engine.ctx.paths.images, "blobs/sha256")).length,
});
function addContainer(engine: TestEngine, name: string, imageId: string, state: string): void {
  engine.ctx.state.run(
    "INSERT INTO containers(id, name, spec, image_id, image_name, state, boot_id, created_at) VALUES(?,?,?,?,?,?,?,?)",
    name,
    name,
    "{}",
    imageId,
    name,
    state,
    "",
    "",
  );
}

describe("remove", () => {
  test("shared layers and blobs stay with the other image, all go with the last", async () => {
    await using engine = await openTestEngine();
    const a = await engine.images.pull(`${registry.address}/a:1`);
    await engine.images.pull(`${registry.address}/b:1`);
    // manifest, config and top layer each, the shared layer once
    expect(onDisk(engine)).toEqual({ layers: 3, links: 3, blobs: 7 });
    const { untagged, deleted } = await engine.images.remove(`${registry.address}/a:1`);
    expect(untagged).toContain(`${registry.address}/a:1`);
    expect(deleted).toContain(a.id);
    expect(onDisk(engine)).toEqual({ layers: 2, links: 2, blobs: 4 });
    await engine.images.remove(`${registry.address}/b:1`);
    expect(onDisk(engine)).toEqual({ layers: 0, links: 0, blobs: 0 });
    await expect(engine.images.remove(`${registry.address}/b:1`)).rejects.toMatchObject({
      code: "TSC_IMAGE_NOT_FOUND",
    });
  });

  test("one of two names only untags", async () => {
    await using engine = await openTestEngine();
    const image = await engine.images.pull(`${registry.address}/a:1`);
    await engine.images.tag(`${registry.address}/a:1`, "mine");
    expect((await engine.images.find("mine"))?.id).toBe(image.id);
    expect((await engine.images.find(image.id.slice(7, 20)))?.tags).toEqual(
      [`${registry.address}/a:1`, "docker.io/library/mine:latest"].sort(),
    );
    await expect(engine.images.remove(image.id)).rejects.toMatchObject({ code: "TSC_IMAGE_IN_USE" });
    expect(await engine.images.remove("mine")).toEqual({ untagged: ["mine:latest"], deleted: [] });
    expect(await engine.images.find("mine")).toBeUndefined();
    expect((await engine.images.remove(image.id)).deleted).toContain(image.id);
  });

  test("a container's image is kept unless forced; a running one's data always", async () => {
    await using engine = await openTestEngine();
    const image = await engine.images.pull(`${registry.address}/a:1`);
    addContainer(engine, "web", image.id, "exited");
    await engine.storage.createRootfs("web", chainIdOf(image.diffIds));
    await expect(engine.images.remove(`${registry.address}/a:1`)).rejects.toMatchObject({
      code: "TSC_IMAGE_IN_USE",
      message: expect.stringContaining("web"),
    });
    await engine.images.remove(`${registry.address}/a:1`, { force: true });
    expect(await engine.images.list()).toEqual([]);
    // its rootfs still stands on the layers
    expect(onDisk(engine).layers).toBe(2);
    expect(existsSync(join(await engine.storage.mountRootfs("web"), "shared"))).toBe(true);
    await engine.storage.removeRootfs("web");
  });

  test("the image of a running container loses its name but not its data, even by force", async () => {
    await using engine = await openTestEngine();
    const image = await engine.images.pull(`${registry.address}/a:1`);
    addContainer(engine, "web", image.id, "running");
    await expect(engine.images.remove(image.id, { force: true })).rejects.toMatchObject({ code: "TSC_IMAGE_IN_USE" });
    expect((await engine.images.remove(`${registry.address}/a:1`, { force: true })).deleted).toEqual([]);
    expect((await engine.images.find(image.id))?.tags).toEqual([]);
  });
});

test("what a killed command left is removed by the next one, what a living one works on is not", async () => {
  await using engine = await openTestEngine();
  const layerWork = join(engine.ctx.paths.storage, "tmp");
  const blobWork = join(engine.ctx.paths.images, "tmp");
  mkdirSync(layerWork, { recursive: true });
  mkdirSync(blobWork, { recursive: true });
  const dead = `4194000-1-${"0".repeat(16)}`;
  const parent = engine.ctx.kernel.processIdentity(process.ppid);
  const alive = `${parent?.pid}-${parent?.startTime}-${"1".repeat(16)}`;
  for (const place of [layerWork, blobWork]) {
    for (const name of [dead, alive, "keep.me"]) {
      mkdirSync(join(place, name, "diff"), { recursive: true });
      writeFileSync(join(place, name, "diff/file"), "x");
    }
  }
  const other = await engine.reopen();
  await other.images.pull(`${registry.address}/a:1`);
  expect(readdirSync(layerWork).sort()).toEqual([alive, "keep.me"].sort());
  expect(readdirSync(blobWork).sort()).toEqual([alive, "keep.me"].sort());
});

test("a layer folder without a row (killed between the two) is made anew", async () => {
  await using engine = await openTestEngine();
  const image = await engine.images.pull(`${registry.address}/a:1`);
  const top = chainIdOf(image.diffIds);
  writeFileSync(join(engine.storage.layerDir(top), "stale"), "x");
  engine.ctx.state.run("DELETE FROM layers WHERE chain_id = ?", top);
  const other = await engine.reopen();
  await other.images.pull(`${registry.address}/a:1`);
  expect(readdirSync(other.storage.layerDir(top))).toEqual(["a"]);
});

test("finished layers of a killed pull are reused; while somebody pulls or builds, removals leave everything to the next one", async () => {
  await using engine = await openTestEngine();
  await engine.images.pull(`${registry.address}/a:1`);
  // as if killed before the image was recorded
  engine.ctx.state.run("DELETE FROM images");
  await engine.images.pull(`${registry.address}/b:1`);
  expect(onDisk(engine).layers).toBe(3);
  const other = await engine.reopen();
  const hold = await engine.ctx.kernel.lockFile(join(engine.ctx.paths.locks, "store-use.lock"), { shared: true });
  await other.images.tag(`${registry.address}/b:1`, "b:2");
  await other.images.remove("b:2");
  expect(onDisk(engine).layers).toBe(3);
  await other.images.remove(`${registry.address}/b:1`);
  // what the other has found may be part of its image: nothing goes now
  expect(onDisk(engine).layers).toBe(3);
  hold?.release();
  await other.images.pull(`${registry.address}/b:1`);
  await other.images.remove(`${registry.address}/b:1`);
  expect(onDisk(engine)).toEqual({ layers: 0, links: 0, blobs: 0 });
});

test("pulls and removals at the same time never leave an image without its layers", async () => {
  await using engine = await openTestEngine();
  const other = await engine.reopen();
  const pull = async (images: TestEngine["images"]) => {
    for (let i = 0; i < 6; i++) await images.pull(`${registry.address}/${i % 2 === 0 ? "a" : "b"}:1`);
  };
  const remove = async () => {
    for (let i = 0; i < 12; i++) {
      await other.images.remove(`${registry.address}/${i % 2 === 0 ? "a" : "b"}:1`).catch((error: { code: string }) => {
        if (error.code !== "TSC_IMAGE_NOT_FOUND") throw error;
      });
    }
  };
  await Promise.all([pull(engine.images), remove()]);
  for (const image of await engine.images.list()) {
    expect(engine.storage.hasLayer(chainIdOf(image.diffIds))).toBe(true);
    await engine.storage.createRootfs("check", chainIdOf(image.diffIds));
    expect(existsSync(join(await engine.storage.mountRootfs("check"), "shared"))).toBe(true);
    await engine.storage.removeRootfs("check");
  }
});
