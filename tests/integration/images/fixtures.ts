/** Images put into a real registry byte by byte (so that tests can lie), and a proxy that misbehaves in front of one. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pushBlob } from "../../helpers/registry.js";

export const sha256 = (data: Uint8Array) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** A tar of files given by content. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "tsc-tar-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return execFileSync("tar", ["--numeric-owner", "--sort=name", "--mtime=@1000", "-C", folder, "-cf", "-", "."], {
      maxBuffer: 1 << 30,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export type Packing = "gzip" | "zstd" | "none";
const pack = {
  gzip: (tar: Buffer) => gzipSync(tar, { level: 1 }),
  zstd: (tar: Buffer) => zstdCompressSync(tar),
  none: (tar: Buffer) => tar,
};
const MEDIA = {
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  none: "application/vnd.oci.image.layer.v1.tar",
};

export interface PutImage {
  readonly layers: readonly {
    readonly tar: Buffer;
    readonly packing?: Packing;
    readonly diffId?: string;
    readonly size?: number;
    readonly urls?: readonly string[];
  }[];
  readonly architecture?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly headers?: Record<string, string>;
}

/** Pushes an OCI image as described, lies included; its manifest's descriptor and the layers' digests. */
export async function putImage(registry: string, name: string, tag: string, image: PutImage) {
  const base = `http://${registry}/v2/${name}`;
  const headers = image.headers ?? {};
  const layers: { mediaType: string; digest: string; size: number }[] = [];
  for (const { tar, packing = "gzip", size, urls } of image.layers) {
    const blob = pack[packing](tar);
    layers.push({
      mediaType: MEDIA[packing],
      digest: await pushBlob(base, blob, headers),
      size: size ?? blob.length,
      ...(urls === undefined ? {} : { urls }),
    });
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: image.architecture ?? "amd64",
      os: "linux",
      created: "2026-01-01T00:00:00Z",
      config: { Cmd: ["sh"], ...image.config },
      rootfs: { type: "layers", diff_ids: image.layers.map(({ tar, diffId }) => diffId ?? sha256(tar)) },
    }),
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: await pushBlob(base, config, headers),
        size: config.length,
      },
      layers,
    }),
  );
  await putManifest(registry, name, tag, mediaType, manifest, headers);
  return { mediaType, digest: sha256(manifest), size: manifest.length, id: sha256(config), layers };
}

export async function putManifest(
  registry: string,
  name: string,
  tag: string,
  mediaType: string,
  data: Buffer,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(`http://${registry}/v2/${name}/manifests/${tag}`, {
    method: "PUT",
    body: data,
    headers: { ...headers, "content-type": mediaType },
  });
  if (response.status !== 201) throw new Error(`manifest refused: ${response.status} ${await response.text()}`);
  return sha256(data);
}

/** Where the registry keeps a blob on disk. */
export function blobFile(storage: string, digest: string): string {
  const hex = digest.slice(7);
  return join(storage, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
}

export interface Peer extends AsyncDisposable {
  readonly address: string;
  readonly requests: { method: string; url: string; authorization: string | undefined; range: string | undefined }[];
}

/** An HTTP peer that notes requests; `handle` answers or returns false to pass the request on to `upstream`. */
export async function startPeer(
  upstream: string | undefined,
  handle: (request: IncomingMessage, response: ServerResponse, count: number) => boolean | Promise<boolean>,
  host = "127.0.0.1",
): Promise<Peer> {
  const requests: Peer["requests"] = [];
  const server = createServer(async (incoming, response) => {
    const { method = "", url = "", headers } = incoming;
    requests.push({ method, url, authorization: headers.authorization, range: headers.range });
    if (await handle(incoming, response, requests.length)) return;
    if (upstream === undefined) {
      response.writeHead(404).end();
      return;
    }
    const passed = request(
      `http://${upstream}${url}`,
      { method, headers: { ...headers, host: upstream } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    // one side went away: so does the other
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
