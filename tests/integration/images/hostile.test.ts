/** Registries that lie, break off or attack: nothing is kept, nothing is leaked. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort, type Registry, startRegistry } from "../../helpers/registry.js";
import { openTestEngine, type TestEngine } from "./context.js";
import { blobFile, type Peer, putImage, sha256, startPeer, tarOf } from "./fixtures.js";

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
});

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
/** Layers, unfinished work and images; small config blobs do no harm. */
async function kept(engine: TestEngine) {
  const { paths } = engine.ctx;
  return {
    layers: list(join(paths.storage, "layers")),
    layerWork: list(join(paths.storage, "tmp")),
    blobWork: list(join(paths.images, "tmp")),
    images: (await engine.images.list()).length,
  };
}
const nothing = { layers: [], layerWork: [], blobWork: [], images: 0 };

describe("damaged content", () => {
  test.each([
    ["first bytes", 0],
    ["middle", 0.5],
    ["last bytes", 1],
  ])("a blob changed on the registry's disk (%s) is refused", async (_, where) => {
    const name = `corrupt-${where}`;
    const image = await putImage(registry.address, name, "1", {
      layers: [{ tar: tarOf({ data: `x${where}`.repeat(20_000), more: String(Math.random()) }) }],
    });
    const digest = image.layers[0]?.digest ?? "";
    const file = blobFile(registry.storage, digest);
    const data = readFileSync(file);
    const at = Math.floor((data.length - 1) * where);
    data[at] = (data[at] ?? 0) ^ 0xff;
    writeFileSync(file, data);
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${registry.address}/${name}:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_DIGEST_MISMATCH",
    });
    expect(await kept(engine)).toEqual(nothing);
    expect(list(join(engine.ctx.paths.images, "blobs/sha256"))).not.toContain(digest.slice(7));
  });

  test("a layer whose tar is not what the config says is refused", async () => {
    await putImage(registry.address, "difflie", "1", {
      layers: [{ tar: tarOf({ a: "a" }), diffId: sha256(Buffer.from("other")) }],
    });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${registry.address}/difflie:1`)).rejects.toMatchObject({
      code: "TSC_IMAGE_DIFFID_MISMATCH",
    });
    expect(await kept(engine)).toEqual(nothing);
  });

  test("a layer that is no archive is refused", async () => {
    await putImage(registry.address, "notar", "1", { layers: [{ tar: Buffer.from("not a tar at all".repeat(100)) }] });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${registry.address}/notar:1`)).rejects.toMatchObject({
      code: "TSC_LAYER_CORRUPT",
    });
    expect(await kept(engine)).toEqual(nothing);
  });

  test("a manifest that is not what was asked for by digest is refused", async () => {
    const image = await putImage(registry.address, "swap", "1", { layers: [] });
    await using liar = await startPeer(registry.address, (request, response) => {
      if (!request.url?.includes("/manifests/")) return false;
      response.writeHead(200, { "content-type": image.mediaType }).end('{"schemaVersion":2,"layers":[]}');
      return true;
    });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${liar.address}/swap@${image.digest}`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_DIGEST_MISMATCH",
    });
  });

  test("an endless manifest is cut off", async () => {
    await using endless = await startPeer(undefined, (request, response) => {
      if (request.url === "/v2/") response.writeHead(200).end();
      else {
        response.writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json" });
        const chunk = Buffer.alloc(1 << 16, " ");
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on("drain", more);
        more();
      }
      return true;
    });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${endless.address}/x:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_TOO_LARGE",
    });
  });

  test("a blob longer than its descriptor is refused", async () => {
    const tar = tarOf({ a: "abc".repeat(100_000) });
    const image = await putImage(registry.address, "longer", "1", { layers: [{ tar, packing: "none" }] });
    await using liar = await startPeer(registry.address, (request, response) => {
      if (!request.url?.includes(image.layers[0]?.digest ?? "-")) return false;
      response.writeHead(200, { "transfer-encoding": "chunked" }).end(Buffer.concat([tar, Buffer.alloc(100_000)]));
      return true;
    });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${liar.address}/longer:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_SIZE_MISMATCH",
    });
    expect(await kept(engine)).toEqual(nothing);
  });
});

describe("bad connections", () => {
  test("a registry that is not there fails at once", async () => {
    await using engine = await openTestEngine();
    const started = Date.now();
    await expect(engine.images.pull(`127.0.0.1:${await freePort()}/x:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_UNREACHABLE",
      message: expect.stringContaining("connection refused"),
    });
    expect(Date.now() - started).toBeLessThan(1000);
  });

  test("a body that breaks off goes on where it stopped", async () => {
    const tar = tarOf({ data: Buffer.alloc(3_000_000, "resume"), noise: String(Math.random()) });
    const image = await putImage(registry.address, "resume", "1", { layers: [{ tar, packing: "none" }] });
    const digest = image.layers[0]?.digest ?? "-";
    let cuts = 0;
    await using flaky = await startPeer(registry.address, (request, response) => {
      if (!request.url?.includes(digest) || cuts >= 3) return false;
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const part = tar.subarray(from, from + 700_000);
      cuts++;
      if (from > 0)
        response.writeHead(206, {
          "content-range": `bytes ${from}-${tar.length - 1}/${tar.length}`,
          "content-length": tar.length - from,
        });
      else response.writeHead(200, { "content-length": tar.length });
      response.write(part, () => response.destroy());
      return true;
    });
    await using engine = await openTestEngine();
    const pulled = await engine.images.pull(`${flaky.address}/resume:1`);
    expect(pulled.id).toBe(image.id);
    const ranges = flaky.requests.filter((one) => one.url.includes(digest)).map((one) => one.range);
    expect(ranges).toHaveLength(4);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d+-$/.test(range ?? ""))).toBe(true);
  });

  test("a body that never gets further is given up", async () => {
    const tar = tarOf({ data: "stuck".repeat(1000), noise: String(Math.random()) });
    const image = await putImage(registry.address, "stuck", "1", { layers: [{ tar, packing: "none" }] });
    await using stuck = await startPeer(registry.address, (request, response) => {
      if (!request.url?.includes(image.layers[0]?.digest ?? "-")) return false;
      response.writeHead(200, { "content-length": tar.length });
      response.flushHeaders();
      setImmediate(() => response.destroy());
      return true;
    });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${stuck.address}/stuck:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_UNREACHABLE",
    });
    expect(await kept(engine)).toEqual(nothing);
  });

  test("429 and 503 are waited out", async () => {
    const image = await putImage(registry.address, "busy", "1", { layers: [{ tar: tarOf({ a: "busy" }) }] });
    let refusals = 0;
    await using busy = await startPeer(registry.address, (request, response) => {
      if (request.url === "/v2/" || refusals >= 2) return false;
      response.writeHead(refusals++ === 0 ? 429 : 503, { "retry-after": "0" }).end();
      return true;
    });
    await using engine = await openTestEngine();
    expect((await engine.images.pull(`${busy.address}/busy:1`)).id).toBe(image.id);
    expect(refusals).toBe(2);
  });

  test("error text is stripped of control characters", async () => {
    await using rude = await startPeer(undefined, (request, response) => {
      if (request.url === "/v2/") response.writeHead(200).end();
      else
        response
          .writeHead(403, { "content-type": "application/json" })
          .end(JSON.stringify({ errors: [{ code: "DENIED", message: "\u001b]0;x\u0007go away\u001b[2J" }] }));
      return true;
    });
    await using engine = await openTestEngine();
    const error = await engine.images.pull(`${rude.address}/x:1`).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: "TSC_REGISTRY_DENIED" });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect((error as Error).message).toContain("pull access denied");
  });
});

describe("credentials stay where they belong", () => {
  const auth = { Authorization: `Basic ${Buffer.from("anna:secret").toString("base64")}` };

  test("a blob redirect to another host carries no Authorization", async () => {
    const tar = tarOf({ a: "redirected", noise: String(Math.random()) });
    const image = await putImage(registry.address, "redir", "1", { layers: [{ tar, packing: "none" }] });
    await using cdn = await startPeer(undefined, (_, response) => {
      response.writeHead(200, { "content-length": tar.length }).end(tar);
      return true;
    });
    await using front = await startPeer(registry.address, (request, response) => {
      if (request.headers.authorization !== auth.Authorization) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
        return true;
      }
      if (!request.url?.includes(image.layers[0]?.digest ?? "-")) return false;
      response.writeHead(307, { location: `http://${cdn.address}/cdn/blob?signature=1` }).end();
      return true;
    });
    await using engine = await openTestEngine({ env: { REGISTRY_AUTH_FILE: authFile(front.address) } });
    expect((await engine.images.pull(`${front.address}/redir:1`)).id).toBe(image.id);
    expect(cdn.requests).toHaveLength(1);
    expect(cdn.requests[0]?.authorization).toBeUndefined();
    expect(front.requests.some((one) => one.authorization !== undefined)).toBe(true);
  });

  test("foreign layer addresses are asked without Authorization (CVE-2020-15157)", async () => {
    const tar = tarOf({ a: "foreign", noise: String(Math.random()) });
    await using stranger = await startPeer(undefined, (_, response) => {
      response.writeHead(200, { "content-length": tar.length }).end(tar);
      return true;
    });
    const config = Buffer.from(
      JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [sha256(tar)] } }),
    );
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(config), size: config.length },
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
          digest: sha256(tar),
          size: tar.length,
          urls: ["file:///etc/shadow", `http://${stranger.address}/layer`],
        },
      ],
    });
    await using front = await startPeer(undefined, (request, response) => {
      if (request.headers.authorization !== auth.Authorization)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else if (request.url?.includes("/manifests/"))
        response.writeHead(200, { "content-type": mediaType }).end(manifest);
      else if (request.url?.includes(sha256(config))) response.writeHead(200).end(config);
      else response.writeHead(404).end();
      return true;
    });
    await using engine = await openTestEngine({ env: { REGISTRY_AUTH_FILE: authFile(front.address) } });
    expect((await engine.images.pull(`${front.address}/foreign:1`)).id).toBe(sha256(config));
    expect(stranger.requests.map((one) => one.authorization)).toEqual([undefined]);
  });

  /** A registry that wants anna's password, and leads to `location` for blobs. */
  const startFront = (digest: string, location: string) =>
    startPeer(registry.address, (request, response) => {
      if (request.headers.authorization !== auth.Authorization) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
        return true;
      }
      if (!request.url?.includes(digest)) return false;
      response.writeHead(307, { location }).end();
      return true;
    });
  const startThief = (challenge: (address: string) => string, host?: string): Promise<Peer> => {
    let address = "";
    const started = startPeer(
      undefined,
      (_, response) => {
        response.writeHead(401, { "www-authenticate": challenge(address) }).end();
        return true;
      },
      host,
    );
    return started.then((peer) => {
      address = peer.address;
      return peer;
    });
  };

  test.each([
    ["Basic", () => 'Basic realm="storage"'],
    ["Bearer", (address: string) => `Bearer realm="http://${address}/token",service="x"`],
    ["both", (address: string) => `Bearer realm="http://${address}/token", Basic realm="storage"`],
  ])("who a blob is redirected to and asks with %s gets nothing", async (_, challenge) => {
    const image = await putImage(registry.address, "asks", "1", { layers: [{ tar: tarOf({ a: "asks" }) }] });
    await using thief = await startThief(challenge);
    await using front = await startFront(image.layers[0]?.digest ?? "-", `http://${thief.address}/blob`);
    await using engine = await openTestEngine({ env: { REGISTRY_AUTH_FILE: authFile(front.address) } });
    await expect(engine.images.pull(`${front.address}/asks:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_FOREIGN_CHALLENGE",
      message: expect.stringContaining(thief.address),
    });
    expect(thief.requests.length).toBeGreaterThan(0);
    expect(thief.requests.map((one) => [one.authorization, one.url])).toEqual(
      thief.requests.map(() => [undefined, "/blob"]),
    );
    expect(await kept(engine)).toEqual(nothing);
  });

  test("who an upload is sent to and asks gets nothing", async () => {
    await putImage(registry.address, "up", "1", { layers: [{ tar: tarOf({ a: "up" }) }] });
    await using thief = await startThief(() => 'Basic realm="storage"');
    await using front = await startPeer(registry.address, (request, response) => {
      if (request.headers.authorization !== auth.Authorization)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else if (request.method === "POST") response.writeHead(202, { location: `http://${thief.address}/upload` }).end();
      else return false;
      return true;
    });
    await using engine = await openTestEngine({ env: { REGISTRY_AUTH_FILE: authFile(front.address) } });
    await engine.images.pull(`${registry.address}/up:1`);
    await engine.images.tag(`${registry.address}/up:1`, `${front.address}/other:1`);
    await expect(engine.images.push(`${front.address}/other:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_FOREIGN_CHALLENGE",
    });
    expect(thief.requests.length).toBeGreaterThan(0);
    expect(thief.requests.every((one) => one.authorization === undefined)).toBe(true);
  });

  test("a token server on another host gets no password over plain http, and none when nobody logged in is no harm", async () => {
    await using tokens = await startPeer(
      undefined,
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" }).end('{"token":"t"}');
        return true;
      },
      "127.0.0.2",
    );
    const image = await putImage(registry.address, "realm", "1", { layers: [{ tar: tarOf({ a: "realm" }) }] });
    await using front = await startPeer(registry.address, (request, response) => {
      if (request.headers.authorization === "Bearer t") return false;
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${tokens.address}/token"` }).end();
      return true;
    });
    await using engine = await openTestEngine({ env: { REGISTRY_AUTH_FILE: authFile(front.address) } });
    await expect(engine.images.pull(`${front.address}/realm:1`)).rejects.toMatchObject({
      code: "TSC_REGISTRY_INSECURE_REALM",
    });
    expect(tokens.requests).toEqual([]);
    await using anonymous = await openTestEngine();
    expect((await anonymous.images.pull(`${front.address}/realm:1`)).id).toBe(image.id);
    expect(tokens.requests.map((one) => one.authorization)).toEqual([undefined]);
  });

  test("a mirror that asks gets nothing of the registry's", async () => {
    const image = await putImage(registry.address, "mirror-asks", "1", { layers: [] });
    await using thief = await startThief(() => 'Basic realm="mirror"');
    const conf = `/tmp/tsc-mirrors-${process.pid}.conf`;
    writeFileSync(
      conf,
      `[[registry]]\nlocation = "${registry.address}"\n[[registry.mirror]]\nlocation = "${thief.address}"\n`,
    );
    await using engine = await openTestEngine({
      env: { REGISTRY_AUTH_FILE: authFile(registry.address), CONTAINERS_REGISTRIES_CONF: conf },
    });
    expect((await engine.images.pull(`${registry.address}/mirror-asks:1`)).id).toBe(image.id);
    expect(thief.requests.length).toBeGreaterThan(0);
    expect(thief.requests.every((one) => one.authorization === undefined)).toBe(true);
    rmSync(conf);
  });

  test.each(["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/"])(
    "a redirect to %s is not followed",
    async (location) => {
      const image = await putImage(registry.address, "local", "1", { layers: [{ tar: tarOf({ a: "local" }) }] });
      await using front = await startFront(image.layers[0]?.digest ?? "-", location);
      await using engine = await openTestEngine({ env: { REGISTRY_AUTH_FILE: authFile(front.address) } });
      await expect(engine.images.pull(`${front.address}/local:1`)).rejects.toMatchObject({
        code: "TSC_REGISTRY_LINK_LOCAL",
      });
    },
  );

  test("a redirect to a file or from nowhere to nowhere ends", async () => {
    for (const location of ["file:///etc/passwd", "/v2/x/manifests/1"]) {
      await using loop = await startPeer(undefined, (request, response) => {
        if (request.url === "/v2/") response.writeHead(200).end();
        else response.writeHead(302, { location }).end();
        return true;
      });
      await using engine = await openTestEngine();
      await expect(engine.images.pull(`${loop.address}/x:1`)).rejects.toMatchObject({ code: "TSC_REGISTRY_PROTOCOL" });
      expect(loop.requests.length).toBeLessThan(15);
    }
  });

  function authFile(host: string): string {
    const file = `/tmp/tsc-auth-${process.pid}.json`;
    writeFileSync(
      file,
      JSON.stringify({ auths: { [host]: { auth: Buffer.from("anna:secret").toString("base64") } } }),
      { mode: 0o600 },
    );
    return file;
  }
});

describe("manifest documents", () => {
  test.each([
    [
      "both manifests and layers",
      { schemaVersion: 2, manifests: [], config: {}, layers: [] },
      "TSC_IMAGE_MANIFEST_INVALID",
    ],
    [
      "a path as digest (CVE-2024-3727)",
      { schemaVersion: 2, config: { digest: "sha256:../../../etc/passwd", size: 1 }, layers: [] },
      "TSC_IMAGE_DIGEST_INVALID",
    ],
  ])("%s", async (_, document, code) => {
    await using liar = await startPeer(undefined, (request, response) => {
      if (request.url === "/v2/") response.writeHead(200).end();
      else
        response
          .writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json" })
          .end(JSON.stringify(document));
      return true;
    });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${liar.address}/x:1`)).rejects.toMatchObject({ code });
  });

  test("indexes that name themselves end", async () => {
    let document = "";
    await using loop = await startPeer(undefined, (request, response) => {
      if (request.url === "/v2/") response.writeHead(200).end();
      else response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json" }).end(document);
      return true;
    });
    const entry = {
      mediaType: "application/vnd.oci.image.index.v1+json",
      size: 1,
      digest: sha256(Buffer.from("x")),
      platform: { os: "linux", architecture: "amd64" },
    };
    document = JSON.stringify({ schemaVersion: 2, manifests: [entry] });
    await using engine = await openTestEngine();
    await expect(engine.images.pull(`${loop.address}/x:1`, { platform: "linux/amd64" })).rejects.toMatchObject({
      code: "TSC_REGISTRY_DIGEST_MISMATCH",
    });
  });
});
