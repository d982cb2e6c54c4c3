/** A registry that fails, lies, stalls or attacks, seen from the command line: one error, in time, and nothing kept. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect } from "@jest/globals";
import { onHost, type TestHost } from "../helpers/host.js";
import { startPeer, tarOf } from "../integration/images/fixtures.js";
import { check, modes, unfinished } from "./support.js";

const sha256 = (data: Uint8Array) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

const tar = tarOf({ hello: "hello", noise: "n".repeat(200_000) });
const layer = gzipSync(tar);
const config = Buffer.from(
  JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [sha256(tar)] } }),
);
const descriptor = (data: Uint8Array, mediaType: string) => ({ mediaType, digest: sha256(data), size: data.length });
const manifestOf = (blob: Uint8Array) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
      layers: [descriptor(blob, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }),
  );

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
/** A registry that is right in all but one place. */
interface Manners {
  readonly ping?: Answer;
  readonly manifest?: Answer;
  readonly blob?: Answer;
  readonly layer?: Buffer;
}

const status =
  (code: number, headers: Record<string, string> = {}, body = ""): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body);
const json = (code: number, error: string) =>
  status(code, {}, JSON.stringify({ errors: [{ code: error, message: error }] }));

function registry(manners: Manners) {
  const blob = manners.layer ?? layer;
  const manifest = manifestOf(blob);
  return startPeer(undefined, (request, response) => {
    const url = request.url ?? "";
    if (url === "/v2/") (manners.ping ?? status(200))(response, request);
    else if (url.includes("/manifests/")) {
      if (manners.manifest !== undefined) manners.manifest(response, request);
      else response.writeHead(200, { "content-type": MANIFEST }).end(manifest);
    } else if (url.includes(sha256(config))) response.writeHead(200).end(config);
    else if (url.includes("/blobs/")) {
      if (manners.blob !== undefined) manners.blob(response, request);
      else response.writeHead(200, { "content-length": blob.length }).end(blob);
    } else response.writeHead(404).end();
    return true;
  });
}

const garbled = Buffer.from(layer);
garbled.fill(0x55, garbled.length >> 1);

/** What the registry does, the code that tells it, and words the message must have. */
const cases: readonly [string, Manners, string, RegExp][] = [
  ["401 without a challenge", { manifest: json(401, "UNAUTHORIZED") }, "TSC_REGISTRY_UNAUTHORIZED", /login/],
  [
    "401 for ever",
    {
      ping: status(401, { "www-authenticate": 'Basic realm="r"' }),
      manifest: status(401, { "www-authenticate": 'Basic realm="r"' }),
    },
    "TSC_REGISTRY_UNAUTHORIZED",
    /login/,
  ],
  [
    "a token service that is not there",
    {
      ping: status(401, { "www-authenticate": 'Bearer realm="http://127.0.0.1:1/token",service="s"' }),
      manifest: status(401, { "www-authenticate": 'Bearer realm="http://127.0.0.1:1/token",service="s"' }),
    },
    "TSC_REGISTRY_UNREACHABLE",
    /connection refused/,
  ],
  ["403", { manifest: json(403, "DENIED") }, "TSC_REGISTRY_DENIED", /denied/],
  ["404", { manifest: json(404, "MANIFEST_UNKNOWN") }, "TSC_REGISTRY_MANIFEST_UNKNOWN", /repository does not exist/],
  ["404 for a layer", { blob: json(404, "BLOB_UNKNOWN") }, "TSC_REGISTRY_BLOB_UNKNOWN", /blob unknown/],
  [
    "429 for ever",
    { manifest: status(429, { "retry-after": "0" }) },
    "TSC_REGISTRY_TOO_MANY_REQUESTS",
    /toomanyrequests/,
  ],
  ["500 for ever", { manifest: status(500) }, "TSC_REGISTRY_UNAVAILABLE", /500/],
  ["503 for a layer for ever", { blob: status(503, { "retry-after": "0" }) }, "TSC_REGISTRY_UNAVAILABLE", /503/],
  [
    "a layer that breaks off every time",
    {
      blob: (response) => {
        response.writeHead(200, { "content-length": layer.length });
        response.write(layer.subarray(0, 100), () => response.destroy());
      },
    },
    "TSC_REGISTRY_UNREACHABLE",
    /./,
  ],
  [
    "a layer that is too short",
    { blob: (response) => response.writeHead(200).end(layer.subarray(0, layer.length - 10)) },
    "TSC_REGISTRY_SIZE_MISMATCH",
    /./,
  ],
  [
    "a layer with other bytes",
    { blob: (response) => response.writeHead(200).end(garbled) },
    "TSC_REGISTRY_DIGEST_MISMATCH",
    /digest/,
  ],
  ["a layer that is broken gzip, rightly named", { layer: garbled }, "TSC_LAYER_CORRUPT", /./],
  [
    "a layer that is gzip cut off, rightly named",
    { layer: layer.subarray(0, layer.length >> 1) },
    "TSC_LAYER_CORRUPT",
    /./,
  ],
  [
    "redirects in a circle",
    { blob: (response, request) => response.writeHead(307, { location: request.url ?? "" }).end() },
    "TSC_REGISTRY_PROTOCOL",
    /redirect/,
  ],
  [
    "a redirect to the metadata service's scheme",
    { blob: status(307, { location: "gopher://169.254.169.254/" }) },
    "TSC_REGISTRY_PROTOCOL",
    /./,
  ],
  [
    "a manifest that is no JSON",
    { manifest: status(200, { "content-type": MANIFEST }, "<html>hello</html>") },
    "TSC_IMAGE_MANIFEST_INVALID",
    /./,
  ],
  [
    "a manifest with JSON's own traps",
    {
      manifest: status(
        200,
        { "content-type": MANIFEST },
        `{"schemaVersion":2,"__proto__":{"polluted":1},"config":null,"layers":"x"}`,
      ),
    },
    "TSC_IMAGE_MANIFEST_INVALID",
    /./,
  ],
  [
    "a manifest of 8 MiB",
    { manifest: status(200, { "content-type": MANIFEST }, `{"schemaVersion":2,"x":"${"x".repeat(8 << 20)}"}`) },
    "TSC_REGISTRY_TOO_LARGE",
    /./,
  ],
  [
    "a manifest nested 100 000 deep",
    { manifest: status(200, { "content-type": MANIFEST }, `${"[".repeat(100_000)}${"]".repeat(100_000)}`) },
    "TSC_IMAGE_MANIFEST_INVALID",
    /./,
  ],
  [
    "an index of 20 000 platforms",
    {
      manifest: status(
        200,
        { "content-type": INDEX },
        JSON.stringify({
          schemaVersion: 2,
          mediaType: INDEX,
          manifests: Array.from({ length: 20_000 }, () => ({
            mediaType: MANIFEST,
            size: 1,
            digest: sha256(Buffer.from("x")),
            platform: { os: "plan9", architecture: "vax" },
          })),
        }),
      ),
    },
    "TSC_IMAGE_MANIFEST_INVALID",
    /manifests/,
  ],
  [
    "a layer that claims 2^53 bytes",
    {
      manifest: status(
        200,
        { "content-type": MANIFEST },
        manifestOf(layer).toString().replace(`"size":${layer.length}`, '"size":9007199254740993'),
      ),
    },
    "TSC_IMAGE_MANIFEST_INVALID",
    /size/,
  ],
  [
    "an answer that is not HTTP",
    { manifest: (response) => response.socket?.end("SSH-2.0-nope\r\n") },
    "TSC_REGISTRY_UNREACHABLE",
    /./,
  ],
];

function kept(host: TestHost): Record<string, string[]> {
  const list = (path: string) => {
    try {
      return readdirSync(join(host.folder, path));
    } catch {
      return [];
    }
  };
  return {
    layers: list("store/storage/layers"),
    // the image's configuration is a few bytes, checked, and collected with the next pull
    blobs: list("store/images/blobs/sha256").filter((name) => name !== sha256(config).slice(7)),
    unfinished: unfinished(host),
  };
}

describe("a broken registry", () => {
  check(
    "one error each, nothing kept",
    onHost("user", async (host) => {
      const folder = host.project("broken", {});
      const wrong: object[] = [];
      await Promise.all(
        [0, 1].map(async (worker) => {
          for (const [name, manners, code, words] of cases.filter((_, index) => index % 2 === worker)) {
            await using peer = await registry(manners);
            const started = Date.now();
            const result = await host.run(folder, ["image", "pull", `${peer.address}/x:1`]);
            const codes = result.stderr.match(/error\[TSC_[A-Z_]+\]/g);
            const problem =
              result.code === 0 || codes?.join() !== `error[${code}]` || !words.test(result.stderr)
                ? result.stderr.slice(-600) || `exit ${result.code}`
                : Date.now() - started > 20_000
                  ? `took ${Date.now() - started} ms`
                  : /\n\s+at /.test(result.stderr)
                    ? "a stack trace"
                    : undefined;
            if (problem !== undefined) wrong.push({ name, code, problem });
          }
        }),
      );
      expect(wrong).toEqual([]);
      expect(await host.must(folder, "image", "ls", "-q")).toBe("");
      expect(kept(host)).toEqual({ layers: [], blobs: [], unfinished: [] });
    }),
    120_000,
  );

  for (const mode of modes) {
    check(
      `up with it: the service is named, nothing starts, nothing is left (${mode})`,
      onHost(mode, async (host) => {
        await using peer = await registry({ manifest: json(403, "DENIED") });
        const folder = host.project("refused", {
          "compose.yaml": `services: { web: { image: "${peer.address}/x:1" } }`,
        });
        const result = await host.run(folder, ["up", "-d"]);
        expect(result.code).not.toBe(0);
        expect(result.stderr.match(/error\[/g)).toHaveLength(1);
        expect(result.stderr).toContain("error[TSC_REGISTRY_DENIED]");
        expect(await host.must(folder, "ps", "-aq")).toBe("");
        expect(await host.must(folder, "network", "ls", "-q")).not.toContain("refused");
        expect((await host.leaks()).lines).toEqual([]);
      }),
      60_000,
    );
  }

  check(
    "Retry-After is honoured, within reason",
    onHost("user", async (host) => {
      let asked = 0;
      const times: number[] = [];
      await using peer = await registry({
        manifest: (response) => {
          times.push(Date.now());
          if (asked++ === 0) response.writeHead(429, { "retry-after": "2" }).end();
          else response.writeHead(200, { "content-type": MANIFEST }).end(manifestOf(layer));
        },
      });
      const folder = host.project("later", {});
      await host.must(folder, "image", "pull", `${peer.address}/x:1`);
      const [first = 0, second = 0] = times;
      expect(second - first).toBeGreaterThanOrEqual(1_900);
      expect(second - first).toBeLessThan(6_000);
    }),
    30_000,
  );

  check(
    "Ctrl-C ends a pull from a registry that never answers, at once and without a trace",
    onHost("user", async (host) => {
      await using peer = await registry({
        blob: (response) => response.writeHead(200, { "content-length": 5_000_000 }).flushHeaders(),
      });
      const folder = host.project("never", {});
      const started = Date.now();
      const script = `"$0" image pull ${peer.address}/x:1 & pid=$!; sleep 1.5; kill -INT $pid; wait $pid`;
      const result = await host.exec(folder, ["sh", "-c", script, join(import.meta.dirname, "../../bin/tscompose")]);
      expect(result.code).toBe(130);
      expect(Date.now() - started).toBeLessThan(5_000);
      expect(kept(host)).toEqual({ layers: [], blobs: [], unfinished: [] });
    }),
    30_000,
  );
});
