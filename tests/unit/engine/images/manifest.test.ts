import { describe, expect, test } from "@jest/globals";
import { chainIdsOf, digestOf } from "../../../../src/engine/images/digest.js";
import { MEDIA, parseManifest } from "../../../../src/engine/images/manifest.js";
import { choosePlatform, parsePlatform } from "../../../../src/engine/images/platform.js";

const DIGEST = `sha256:${"a".repeat(64)}`;
const config = { mediaType: MEDIA.ociConfig, digest: DIGEST, size: 10 };
const layer = { mediaType: MEDIA.ociLayerGzip, digest: DIGEST, size: 20 };

function parse(document: unknown, contentType = ""): unknown {
  try {
    return parseManifest(Buffer.from(JSON.stringify(document)), contentType, "image x").kind;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("parseManifest", () => {
  test("tells manifests from indexes", () => {
    expect(parse({ schemaVersion: 2, config, layers: [layer] })).toBe("manifest");
    expect(parse({ schemaVersion: 2, mediaType: MEDIA.dockerManifest, config, layers: [] }, MEDIA.dockerManifest)).toBe(
      "manifest",
    );
    expect(parse({ schemaVersion: 2, manifests: [layer] }, `${MEDIA.dockerList}; charset=utf-8`)).toBe("index");
  });

  test.each([
    ["both shapes at once (CVE-2021-41190)", { schemaVersion: 2, config, layers: [], manifests: [] }, ""],
    [
      "a content type that disagrees",
      { schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers: [] },
      MEDIA.ociIndex,
    ],
    ["an index called manifest", { schemaVersion: 2, mediaType: MEDIA.ociManifest, manifests: [] }, ""],
    ["a manifest called index", { schemaVersion: 2, mediaType: MEDIA.ociIndex, config, layers: [] }, ""],
    ["a manifest called index by its transport", { schemaVersion: 2, config, layers: [] }, MEDIA.ociIndex],
    ["a negative size", { schemaVersion: 2, config: { ...config, size: -1 }, layers: [] }, ""],
    ["a fractional size", { schemaVersion: 2, config, layers: [{ ...layer, size: 1.5 }] }, ""],
    ["a huge config", { schemaVersion: 2, config: { ...config, size: 1e9 }, layers: [] }, ""],
    ["too many layers", { schemaVersion: 2, config, layers: Array(501).fill(layer) }, ""],
    ["layers that are no list", { schemaVersion: 2, config, layers: {} }, ""],
    ["no document", [], ""],
    ["another schema", { schemaVersion: 3, config, layers: [] }, ""],
  ])("refuses %s", (_, document, contentType) => {
    expect(parse(document, contentType)).toBe("TSC_IMAGE_MANIFEST_INVALID");
  });

  test.each(["sha256:../../etc/passwd", "sha256:ABC", "", 5, `sha512:${"a".repeat(64)}`, `${DIGEST}\n`])(
    "refuses the digest %j (CVE-2024-3727)",
    (digest) => {
      expect(parse({ schemaVersion: 2, config, layers: [{ ...layer, digest }] })).toBe("TSC_IMAGE_DIGEST_INVALID");
    },
  );

  test("names what is not an image", () => {
    expect(parse({ schemaVersion: 1, fsLayers: [] })).toBe("TSC_IMAGE_MANIFEST_UNSUPPORTED");
    const artifact = { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" };
    expect(parse({ schemaVersion: 2, config: artifact, layers: [] })).toBe("TSC_IMAGE_MANIFEST_UNSUPPORTED");
  });
});

describe("platforms", () => {
  const offered = ["linux/amd64", "unknown/unknown", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8"].map((text) => {
    const [os = "", architecture = "", variant = ""] = text.split("/");
    return { os, architecture, variant };
  });
  test.each([
    ["linux/amd64", 0],
    ["linux/x86_64", 0],
    ["linux/arm/v7", 3],
    ["linux/arm/v6", 2],
    ["linux/arm", 3],
    ["linux/arm64", 4],
    ["linux/arm/v5", -1],
    ["linux/s390x", -1],
    ["windows/amd64", -1],
  ])("%s takes entry %i", (wanted, index) => {
    expect(choosePlatform(parsePlatform(wanted), offered)).toBe(index);
  });
  test("a newer machine runs code of an older variant", () => {
    expect(choosePlatform(parsePlatform("linux/arm/v8"), offered)).toBe(3);
    expect(choosePlatform(parsePlatform("linux/amd64/v3"), offered)).toBe(0);
  });
});

test("chain ids follow the image specification", () => {
  const a = digestOf("a");
  const b = digestOf("b");
  expect(chainIdsOf([a, b])).toEqual([a, digestOf(`${a} ${b}`)]);
  expect(chainIdsOf([])).toEqual([]);
});
