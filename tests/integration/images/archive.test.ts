/** Archives: what save writes, load reads; docker's old and new forms; damaged files. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { chainIdOf } from "../../../src/engine/images/index.js";
import { encodeTarHeader, TAR_END, tarPadding } from "../../../src/lib/tar.js";
import { type Registry, startRegistry } from "../../helpers/registry.js";
import { openTestEngine } from "./context.js";
import { putImage, sha256, tarOf } from "./fixtures.js";

let registry: Registry;
let folder = "";
beforeAll(async () => {
  registry = await startRegistry();
  folder = mkdtempSync(join(tmpdir(), "tsc-archive-"));
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What a hostile archive says of itself: no longer than the disk and the clock stand it. */
describe("bounds", () => {
  const LONG = `${"b".repeat(300_000)}/${"a/../".repeat(60_000)}x`;
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }),
  );
  const archive = (name: string, files: Readonly<Record<string, string>>): string => {
    const file = join(folder, name);
    const base = { type: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
    const members = Object.entries(files).flatMap(([member, text]) => {
      const size = Buffer.byteLength(text);
      return [encodeTarHeader({ ...base, name: member, size }), Buffer.from(text), tarPadding(size)];
    });
    writeFileSync(file, Buffer.concat([...members, TAR_END]));
    return file;
  };

  test("names that normalising takes minutes for are refused, as members and as what a manifest names", async () => {
    await using engine = await openTestEngine();
    const member = archive("long-member.tar", { "manifest.json": "[]", [LONG]: "x" });
    await expect(engine.images.load(member)).rejects.toThrow("a member's name is too long");
    const named = archive("long-name.tar", { "manifest.json": JSON.stringify([{ Config: LONG, Layers: [] }]) });
    await expect(engine.images.load(named)).rejects.toThrow("is missing");
  });

  test("no more images than anybody saves", async () => {
    await using engine = await openTestEngine();
    const entries = (count: number) => Array.from({ length: count }, () => ({ Config: "c.json", Layers: [] }));
    const many = archive("many.tar", { "manifest.json": JSON.stringify(entries(1001)), "c.json": config.toString() });
    await expect(engine.images.load(many)).rejects.toThrow("more than 1000 images");
    expect(await engine.images.list()).toEqual([]);
  });

  test("a load that is cancelled between two images ends there", async () => {
    await using engine = await openTestEngine();
    const list = JSON.stringify(Array.from({ length: 900 }, () => ({ Config: "c.json", Layers: [] })));
    const file = archive("cancelled.tar", { "manifest.json": list, "c.json": config.toString() });
    const controller = new AbortController();
    const loading = engine.images.load(file, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(loading).rejects.toThrow("enough");
  });
});

describe("save and load", () => {
  test("an image comes back with the same id, names and manifest", async () => {
    await putImage(registry.address, "saved", "1", {
      layers: [{ tar: tarOf({ a: "1" }) }, { tar: tarOf({ b: "2" }), packing: "zstd" }],
    });
    const name = `${registry.address}/saved:1`;
    const file = join(folder, "saved.tar");
    await using source = await openTestEngine();
    const image = await source.images.pull(name);
    await source.images.tag(name, "tool:2");
    await source.images.save([name, "tool:2"], file);
    for (const [suffix, bytes] of [
      ["tar", readFileSync(file)],
      ["tar.gz", gzipSync(readFileSync(file))],
      ["tar.zst", zstdCompressSync(readFileSync(file))],
    ] as const) {
      const copy = join(folder, `copy.${suffix}`);
      writeFileSync(copy, bytes);
      await using target = await openTestEngine();
      expect((await target.images.load(copy)).sort()).toEqual([name, "tool:2"].sort());
      const loaded = await target.images.inspect("tool:2");
      expect(loaded).toMatchObject({
        id: image.id,
        diffIds: image.diffIds,
        tags: [name, "docker.io/library/tool:2"].sort(),
      });
      // loading again changes nothing
      await target.images.load(copy);
      expect(await target.images.list()).toHaveLength(1);
      await target.images.tag("tool:2", `${registry.address}/again:${suffix}`);
      await target.images.push(`${registry.address}/again:${suffix}`);
      expect(await target.images.resolveDigest(`${registry.address}/again:${suffix}`)).toBe(
        await source.images.resolveDigest(name),
      );
    }
  });

  test("an id saves the image without names", async () => {
    const { id } = await putImage(registry.address, "unnamed", "1", { layers: [{ tar: tarOf({ a: "unnamed" }) }] });
    const file = join(folder, "unnamed.tar");
    await using source = await openTestEngine();
    await source.images.pull(`${registry.address}/unnamed:1`);
    await source.images.save([id.slice(7, 19)], file);
    await using target = await openTestEngine();
    expect(await target.images.load(file)).toEqual([id]);
  });
});

describe("docker-archive", () => {
  const base = tarOf({ "bin/a": "a" });
  const top = tarOf({ "bin/b": "b" });
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [sha256(base), sha256(top)] },
    }),
  );
  const build = (name: string, layout: (at: (path: string) => string) => string[]) => {
    const root = mkdtempSync(join(folder, "d-"));
    const paths = layout((path) => join(root, path));
    writeFileSync(
      join(root, "manifest.json"),
      JSON.stringify([{ Config: "config.json", RepoTags: ["old/app:1", "app:old"], Layers: paths }]),
    );
    writeFileSync(join(root, "config.json"), config);
    const file = join(folder, name);
    execFileSync("tar", ["-C", root, "-cf", file, "."]);
    return file;
  };

  test("the old layout, with one layer as a link to another folder's and one gzipped", async () => {
    const file = build("old.tar", (at) => {
      for (const name of ["one", "two", "three"]) mkdirSync(at(name));
      writeFileSync(at("one/layer.tar"), base);
      symlinkSync("../one/layer.tar", at("two/layer.tar"));
      writeFileSync(at("three/layer.tar"), gzipSync(top));
      return ["two/layer.tar", "three/layer.tar"];
    });
    await using engine = await openTestEngine();
    expect((await engine.images.load(file)).sort()).toEqual(["app:old", "old/app:1"]);
    const image = await engine.images.inspect("app:old");
    expect(image.id).toBe(sha256(config));
    await engine.images.tag("app:old", `${registry.address}/from/docker:1`);
    await engine.images.push(`${registry.address}/from/docker:1`);
    await using other = await openTestEngine();
    expect((await other.images.pull(`${registry.address}/from/docker:1`)).id).toBe(image.id);
  });

  test.each([
    [
      "a link out of the archive",
      (at: (path: string) => string) => {
        writeFileSync(at("b.tar"), top);
        symlinkSync("../../../../../../etc/passwd", at("a.tar"));
        return ["a.tar", "b.tar"];
      },
      "TSC_IMAGE_ARCHIVE",
    ],
    [
      "a layer with other content",
      (at: (path: string) => string) => {
        writeFileSync(at("b.tar"), top);
        copyFileSync(at("b.tar"), at("a.tar"));
        return ["a.tar", "b.tar"];
      },
      "TSC_IMAGE_DIFFID_MISMATCH",
    ],
    [
      "a missing layer",
      (at: (path: string) => string) => {
        writeFileSync(at("a.tar"), base);
        return ["a.tar", "../b.tar"];
      },
      "TSC_IMAGE_ARCHIVE",
    ],
  ])("%s is refused", async (name, layout, code) => {
    const file = build(`${name.replaceAll(" ", "-")}.tar`, layout);
    await using engine = await openTestEngine();
    await expect(engine.images.load(file)).rejects.toMatchObject({ code });
    expect(await engine.images.list()).toEqual([]);
  });
});

describe("files that are no image", () => {
  test.each([
    ["text", Buffer.from("hello ".repeat(1000))],
    ["an ordinary tar", tarOf({ a: "a" })],
    ["a cut gzip", gzipSync(tarOf({ a: Buffer.alloc(100_000, "abc") })).subarray(0, 60)],
    ["nothing", Buffer.alloc(0)],
  ])("%s", async (_, data) => {
    const file = join(folder, "bad");
    writeFileSync(file, data);
    await using engine = await openTestEngine();
    await expect(engine.images.load(file)).rejects.toMatchObject({ code: "TSC_IMAGE_ARCHIVE" });
    await expect(engine.images.load(join(folder, "not-there"))).rejects.toMatchObject({
      code: "TSC_IMAGE_ARCHIVE",
      kind: "not-found",
    });
  });
});

test("a changed folder becomes a layer, an image, and the same image again after push and pull", async () => {
  await putImage(registry.address, "parent", "1", {
    layers: [{ tar: tarOf({ "etc/old": "old", "etc/keep": "keep", "dir/x": "x" }) }],
  });
  await using engine = await openTestEngine();
  const parent = await engine.images.pull(`${registry.address}/parent:1`);
  const top = chainIdOf(parent.diffIds);
  await engine.storage.createRootfs("b1", top);
  const rootfs = await engine.storage.mountRootfs("b1");
  rmSync(join(rootfs, "etc/old"));
  writeFileSync(join(rootfs, "etc/new"), "new");
  rmSync(join(rootfs, "dir"), { recursive: true });
  mkdirSync(join(rootfs, "dir"));
  writeFileSync(join(rootfs, "dir/y"), "y");
  await engine.storage.unmountRootfs("b1");
  const copied = await engine.images.commitLayer({
    source: engine.storage.writableDir("b1"),
    parent: top,
    mode: "copy",
  });
  const moved = await engine.images.commitLayer({
    source: engine.storage.writableDir("b1"),
    parent: top,
    mode: "move",
  });
  expect(moved.chainId).toBe(copied.chainId);
  await engine.storage.removeRootfs("b1");
  const image = await engine.images.createImage({
    config: { ...engine.images.readConfig(parent.id), config: { Cmd: ["run"] } },
    topChainId: moved.chainId,
    tags: ["built:1", `${registry.address}/built:1`],
  });
  expect(image).toMatchObject({ config: { command: ["run"] }, diffIds: [...parent.diffIds, moved.diffId] });
  await engine.images.push(`${registry.address}/built:1`);
  const check = async (other: Awaited<ReturnType<typeof openTestEngine>>) => {
    await using view = await other.storage.viewImage(moved.chainId);
    const files = execFileSync("find", [view.path, "-type", "f", "-printf", "%P\n"], { encoding: "utf8" });
    expect(files.trim().split("\n").sort()).toEqual(["dir/y", "etc/keep", "etc/new"]);
  };
  await check(engine);
  await using other = await openTestEngine();
  expect((await other.images.pull(`${registry.address}/built:1`)).id).toBe(image.id);
  await check(other);
});

test("a layer made here without a kept tar is packed again for push", async () => {
  await using engine = await openTestEngine();
  await engine.storage.createRootfs("b2", "");
  const rootfs = await engine.storage.mountRootfs("b2");
  mkdirSync(join(rootfs, "app"));
  writeFileSync(join(rootfs, "app/data"), Buffer.alloc(200_000, "moved"));
  symlinkSync("data", join(rootfs, "app/link"));
  await engine.storage.unmountRootfs("b2");
  const layer = await engine.images.commitLayer({ source: engine.storage.writableDir("b2"), parent: "", mode: "move" });
  expect(layer.blobDigest).toBe("");
  await engine.storage.removeRootfs("b2");
  const name = `${registry.address}/scratchy:1`;
  const image = await engine.images.createImage({
    config: { architecture: "amd64", os: "linux" },
    topChainId: layer.chainId,
    tags: [name],
  });
  await engine.images.push(name);
  await using other = await openTestEngine();
  expect((await other.images.pull(name)).id).toBe(image.id);
});

describe("archives that grow", () => {
  const member = (size: number) =>
    encodeTarHeader({ name: "layer.tar", type: "file", mode: 0o644, uid: 0, gid: 0, size, mtime: 0 });
  const zeros = Buffer.alloc(100 << 20);
  test.each<[string, () => Buffer, string]>([
    ["zeros are the end mark of a tar, and nothing after it is written", () => gzipSync(zeros), "TSC_IMAGE_ARCHIVE"],
    ["what is no tar ends at its first block", () => gzipSync(Buffer.alloc(1 << 20, "x")), "TSC_IMAGE_ARCHIVE"],
    ["a member that says how large it is", () => gzipSync(member(3 * 1024 ** 3)), "TSC_IMAGE_ARCHIVE_TOO_BIG"],
    [
      "many members, each of them small",
      () => {
        const one = gzipSync(Buffer.concat([member(zeros.length), zeros]), { level: 1 });
        return Buffer.concat([one, one, one]);
      },
      "TSC_IMAGE_ARCHIVE_TOO_BIG",
    ],
    ["zstd too", () => zstdCompressSync(member(3 * 1024 ** 3)), "TSC_IMAGE_ARCHIVE_TOO_BIG"],
  ])("%s", async (_, archive, code) => {
    const path = join(folder, "bomb");
    writeFileSync(path, archive());
    await using engine = await openTestEngine();
    await expect(engine.images.load(path)).rejects.toMatchObject({ code });
    const left = readdirSync(join(engine.ctx.paths.images, "tmp"), { withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  test("an abort ends loading", async () => {
    const path = join(folder, "aborted");
    writeFileSync(path, gzipSync(Buffer.concat([member(zeros.length), zeros])));
    await using engine = await openTestEngine();
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(engine.images.load(path, { signal })).rejects.toThrow("stop");
  });
});
