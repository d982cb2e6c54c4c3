/** Pulling from a real registry: what arrives, what is skipped, what is shared. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { chainIdOf } from "../../../src/engine/images/index.js";
import type { ProgressEvent } from "../../../src/engine/types.js";
import { type Registry, startRegistry } from "../../helpers/registry.js";
import { openTestEngine } from "./context.js";
import { type Packing, putImage, putManifest, tarOf } from "./fixtures.js";

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
});

describe("pull", () => {
  test.each<Packing>(["gzip", "zstd", "none"])("%s layers unpack to the files that went in", async (packing) => {
    const base = tarOf({ "etc/a": `a ${packing}`, "etc/b": "b" });
    const top = tarOf({ "etc/.wh.b": "", "etc/c": "c".repeat(300_000) });
    await putImage(registry.address, `pack/${packing}`, "1", {
      layers: [
        { tar: base, packing },
        { tar: top, packing },
      ],
    });
    await using engine = await openTestEngine();
    const image = await engine.images.pull(`${registry.address}/pack/${packing}:1`);
    await engine.storage.createRootfs("c1", chainIdOf(image.diffIds));
    const rootfs = await engine.storage.mountRootfs("c1");
    try {
      expect(readFileSync(join(rootfs, "etc/a"), "utf8")).toBe(`a ${packing}`);
      expect(readFileSync(join(rootfs, "etc/c"), "utf8")).toHaveLength(300_000);
      expect(() => readFileSync(join(rootfs, "etc/b"))).toThrow(/ENOENT/);
    } finally {
      await engine.storage.removeRootfs("c1");
    }
  });

  test("takes this machine's entry of a manifest list and keeps the list's digest", async () => {
    const mine = await putImage(registry.address, "multi", "mine", {
      layers: [{ tar: tarOf({ arch: "mine" }) }],
      architecture: "amd64",
    });
    const other = await putImage(registry.address, "multi", "other", {
      layers: [{ tar: tarOf({ arch: "other" }) }],
      architecture: "s390x",
    });
    const entry = (one: typeof mine, architecture: string) => ({
      mediaType: one.mediaType,
      digest: one.digest,
      size: one.size,
      platform: { os: "linux", architecture },
    });
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const index = { schemaVersion: 2, mediaType, manifests: [entry(other, "s390x"), entry(mine, "amd64")] };
    const digest = await putManifest(
      registry.address,
      "multi",
      "latest",
      mediaType,
      Buffer.from(JSON.stringify(index)),
    );
    await using engine = await openTestEngine();
    const image = await engine.images.pull(`${registry.address}/multi`, { platform: "linux/amd64" });
    expect(image.id).toBe(mine.id);
    expect(image.repoDigests).toEqual([`${registry.address}/multi@${digest}`]);
    expect(await engine.images.resolveDigest(`${registry.address}/multi`)).toBe(digest);
    expect((await engine.images.find(`${registry.address}/multi@${digest}`))?.id).toBe(mine.id);
    expect((await engine.images.find(`${registry.address}/multi@${mine.digest}`))?.id).toBe(mine.id);
    expect((await engine.images.pull(`${registry.address}/multi`, { platform: "linux/s390x" })).id).toBe(other.id);
    await expect(engine.images.pull(`${registry.address}/multi`, { platform: "linux/riscv64" })).rejects.toMatchObject({
      code: "TSC_IMAGE_PLATFORM",
      message: expect.stringContaining("no matching manifest for linux/riscv64 in the manifest list entries"),
    });
  });

  test("a second pull fetches no layer and says so", async () => {
    await putImage(registry.address, "twice", "1", {
      layers: [{ tar: tarOf({ x: "1" }) }, { tar: tarOf({ y: "2" }) }],
    });
    await using engine = await openTestEngine();
    const seen: ProgressEvent[] = [];
    const pull = () => engine.images.pull(`${registry.address}/twice:1`, { onProgress: (event) => seen.push(event) });
    const first = await pull();
    expect(seen.at(-1)).toMatchObject({ type: "pull-done", upToDate: false });
    seen.length = 0;
    expect({ ...(await pull()), lastTaggedAt: first.lastTaggedAt }).toEqual(first);
    expect(seen.filter((event) => event.type === "layer").map((event) => event.phase)).toEqual(["exists", "exists"]);
    expect(seen.at(-1)).toMatchObject({ type: "pull-done", upToDate: true });
  });

  test("two commands pulling images that share layers fetch each layer once", async () => {
    const shared = tarOf({ big: "z".repeat(2_000_000) });
    await putImage(registry.address, "share/a", "1", { layers: [{ tar: shared }, { tar: tarOf({ a: "a" }) }] });
    await putImage(registry.address, "share/b", "1", { layers: [{ tar: shared }, { tar: tarOf({ b: "b" }) }] });
    let unpacked = 0;
    await using engine = await openTestEngine({
      kernel: (real) => ({
        ...real,
        unpackLayer(options, signal) {
          unpacked++;
          return real.unpackLayer(options, signal);
        },
      }),
    });
    const other = await engine.reopen();
    await Promise.all([
      engine.images.pull(`${registry.address}/share/a:1`),
      engine.images.pull(`${registry.address}/share/b:1`),
      other.images.pull(`${registry.address}/share/a:1`),
      other.images.pull(`${registry.address}/share/b:1`),
    ]);
    expect(unpacked).toBe(3);
    expect(await engine.images.list()).toHaveLength(2);
  });

  test("an aborted pull keeps nothing half done", async () => {
    await putImage(registry.address, "abort", "1", {
      layers: [{ tar: tarOf({ big: Buffer.alloc(30_000_000, "q") }), packing: "none" }],
    });
    await using engine = await openTestEngine();
    const controller = new AbortController();
    const pulling = engine.images.pull(`${registry.address}/abort:1`, {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === "layer" && event.phase === "downloading") controller.abort();
      },
    });
    await expect(pulling).rejects.toMatchObject({ name: "AbortError" });
    expect(await engine.images.list()).toEqual([]);
    expect((await engine.images.pull(`${registry.address}/abort:1`)).tags).toHaveLength(1);
  });

  test("names that the registry does not have are told in docker's words", async () => {
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${registry.address}/nothing:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_MANIFEST_UNKNOWN",
      message: expect.stringMatching(
        /^pull access denied for \S+\/nothing, repository does not exist or may require a login$/,
      ),
    });
    await putImage(registry.address, "something", "1", { layers: [] });
    await expect(engine.images.pull(`${registry.address}/something:2`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_MANIFEST_UNKNOWN",
      message: expect.stringContaining("manifest unknown"),
    });
    await expect(engine.images.inspect("nobody/knows:1")).rejects.toMatchObject({ code: "TSC_IMAGE_NOT_FOUND" });
  });
});
