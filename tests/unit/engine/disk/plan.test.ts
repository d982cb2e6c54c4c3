/** What a prune removes, and that `system df` promises just that. */
import { describe, expect, test } from "@jest/globals";
import { imageShares, planPrune, usageRows } from "../../../../src/engine/disk/plan.js";
import type { Inventory, StoredContainer, StoredImage, StoredLayer } from "../../../../src/engine/disk/types.js";

const EMPTY: Inventory = {
  containers: [],
  images: [],
  layers: [],
  blobs: [],
  networks: [],
  volumes: [],
  cacheMounts: [],
  steps: [],
  busy: false,
};

const image = (id: string, layers: readonly string[], more: Partial<StoredImage> = {}): StoredImage => ({
  id,
  tags: [`${id}:latest`],
  repoDigests: [],
  createdAt: "2026-01-01T00:00:00Z",
  labels: {},
  layers,
  blobs: [`config-${id}`],
  ...more,
});
const layer = (chainId: string, parent: string, bytes: number, blobDigest = ""): StoredLayer => ({
  chainId,
  parent,
  bytes,
  blobDigest,
});
const container = (id: string, more: Partial<StoredContainer> = {}): StoredContainer => ({
  id,
  name: id,
  state: "exited",
  createdAt: "2026-01-01T00:00:00Z",
  labels: {},
  imageId: "",
  imageName: "",
  mountedImages: [],
  topLayer: "",
  networks: [],
  command: [],
  volumes: 0,
  bytes: 1,
  ...more,
});
const ids = (layers: readonly StoredLayer[]) => layers.map(({ chainId }) => chainId).toSorted();

/** base ← a ← cached; base ← b. Image a is in use, b is not, `old` has no name. */
const stored: Inventory = {
  ...EMPTY,
  containers: [
    container("up", { state: "running", imageId: "a", topLayer: "a", bytes: 10, networks: ["front"] }),
    container("down", { imageId: "b", topLayer: "b", bytes: 20, networks: ["back"], labels: { keep: "yes" } }),
  ],
  images: [image("a", ["base", "a"]), image("b", ["base", "b"]), image("old", ["base", "old"], { tags: [] })],
  layers: [
    layer("base", "", 1000, "blob-base"),
    layer("a", "base", 100),
    layer("b", "base", 200),
    layer("old", "base", 400),
    layer("cached", "a", 800),
    layer("under", "", 1600),
    layer("over", "under", 3200),
  ],
  blobs: ["base", "stray"].map((name) => ({ digest: `blob-${name}`, bytes: 7 })),
  networks: ["front", "back", "unused", "bridge"].map((name) => ({
    name,
    createdAt: "2026-01-01T00:00:00Z",
    labels: {},
    predefined: name === "bridge",
  })),
  volumes: [
    { name: "data", anonymous: false, users: [], bytes: 5 },
    { name: "anon", anonymous: true, users: [], bytes: 6 },
    { name: "used", anonymous: true, users: ["down"], bytes: 8 },
  ].map((one) => ({ driver: "local", createdAt: "2026-01-01T00:00:00Z", labels: {}, ...one })),
  cacheMounts: [
    { name: "npm", usedAt: "2026-01-01T00:00:00Z", inUse: false, bytes: 50 },
    { name: "busy", usedAt: "2026-01-01T00:00:00Z", inUse: true, bytes: 60 },
  ],
  steps: [{ key: "k", chainId: "cached", usedAt: "2026-03-01T00:00:00Z" }],
};

describe("planPrune", () => {
  test("nothing that is not asked for", () => {
    expect(planPrune(stored, {}).bytes).toBe(0);
  });
  test("containers that do not run", () => {
    const plan = planPrune(stored, { containers: true });
    expect(plan.containers.map(({ id }) => id)).toEqual(["down"]);
    expect(plan.bytes).toBe(20);
  });
  test("labels and until keep what does not fit", () => {
    const containers = (filter: object) => planPrune(stored, { containers: true, filter }).containers.length;
    expect(containers({ labels: ["keep"] })).toBe(1);
    expect(containers({ labels: ["keep=no"] })).toBe(0);
    expect(containers({ notLabels: ["keep=yes"] })).toBe(0);
    expect(containers({ until: Date.parse("2025-01-01") })).toBe(0);
    expect(containers({ until: Date.parse("2026-06-01") })).toBe(1);
  });
  test("networks that no container is meant to be on; a stopped one counts, the engine's own stays", () => {
    const names = (containers: boolean) =>
      planPrune(stored, { networks: true, containers }).networks.map(({ name }) => name);
    expect(names(false)).toEqual(["unused"]);
    expect(names(true)).toEqual(["back", "unused"]);
  });
  test("volumes: anonymous ones, with --all named ones; what a pruned container used is free", () => {
    const names = (all: boolean, containers = false) =>
      planPrune(stored, { volumes: { all }, containers }).volumes.map(({ name }) => name);
    expect(names(false)).toEqual(["anon"]);
    expect(names(true)).toEqual(["data", "anon"]);
    expect(names(false, true)).toEqual(["anon", "used"]);
  });
  test("dangling images, and with --all those without a container; layers that others need stay", () => {
    const dangling = planPrune(stored, { images: { all: false } });
    expect(dangling.images.map(({ id }) => id)).toEqual(["old"]);
    expect(ids(dangling.imageLayers)).toEqual(["old"]);
    const withContainers = planPrune(stored, { images: { all: true }, containers: true });
    expect(ids(withContainers.imageLayers)).toEqual(["b", "old"]);
  });
  test("an image that a container mounts is in use", () => {
    const mounting = container("m", { mountedImages: ["b"] });
    const plan = planPrune({ ...stored, containers: [mounting] }, { images: { all: true } });
    expect(plan.images.map(({ id }) => id)).toEqual(["a", "old"]);
  });
  test("a layer under one that stays does not go", () => {
    const plan = planPrune({ ...stored, containers: [] }, { images: { all: true } });
    // `cached` is build cache and stands on a, which stands on base
    expect(ids(plan.imageLayers)).toEqual(["b", "old"]);
    const both = planPrune({ ...stored, containers: [] }, { images: { all: true }, buildCache: { all: true } });
    expect(ids([...both.imageLayers, ...both.cacheLayers])).toEqual([
      "a",
      "b",
      "base",
      "cached",
      "old",
      "over",
      "under",
    ]);
  });
  test("build cache: layers and blobs without an image, folders of cache mounts that nobody has mounted", () => {
    const plan = planPrune(stored, { buildCache: { all: false } });
    expect(ids(plan.cacheLayers)).toEqual(["cached", "over", "under"]);
    expect(plan.cacheBlobs.map(({ digest }) => digest)).toEqual(["blob-stray"]);
    expect(plan.cacheMounts.map(({ name }) => name)).toEqual(["npm"]);
    expect(plan.steps.map(({ key }) => key)).toEqual(["k"]);
    expect(plan.bytes).toBe(800 + 1600 + 3200 + 7 + 50);
  });
  test("while somebody builds only cache mounts go", () => {
    const plan = planPrune({ ...stored, busy: true }, { buildCache: { all: true } });
    expect([plan.cacheLayers.length, plan.cacheBlobs.length, plan.cacheMounts.length]).toEqual([0, 0, 1]);
  });
  test("build cache has no labels, so a label filter keeps it", () => {
    expect(planPrune(stored, { buildCache: { all: true }, filter: { labels: ["a"] } }).bytes).toBe(0);
  });
});

describe("usageRows", () => {
  const rows = new Map(usageRows(stored).map((row) => [row.type, row]));
  test("every byte counts once", () => {
    const total = [...rows.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBe(7300 + 14 + 30 + 19 + 110);
    expect(rows.get("Images")).toMatchObject({ total: 3, active: 2, bytes: 1700 + 7 });
  });
  test("what is promised is what the noun's prune with --all frees", () => {
    expect(rows.get("Images")?.reclaimable).toBe(planPrune(stored, { images: { all: true } }).bytes);
    expect(rows.get("Containers")?.reclaimable).toBe(20);
    expect(rows.get("Local Volumes")?.reclaimable).toBe(11);
    expect(rows.get("Build Cache")?.reclaimable).toBe(5600 + 7 + 50);
  });
  test("shared and own bytes of an image", () => {
    expect(imageShares(stored).get("b")).toEqual({ shared: 1000, unique: 200 });
  });
});
