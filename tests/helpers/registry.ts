/** A real docker-registry on loopback, and a push that shares no code with the engine. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Where the registry keeps its blobs (tests corrupt them). */
  readonly storage: string;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts a registry; with `storage` an earlier one's content is served again. Ends with its disposal. */
export async function startRegistry(options: { storage?: string; htpasswd?: string } = {}): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), "tsc-registry-"));
  const storage = options.storage ?? join(folder, "data");
  mkdirSync(storage, { recursive: true });
  const port = await freePort();
  const lines = [
    "version: 0.1",
    "log: {level: error, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${storage}}, delete: {enabled: true}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
  ];
  if (options.htpasswd !== undefined) lines.push(`auth: {htpasswd: {realm: test, path: ${options.htpasswd}}}`);
  const config = join(folder, "config.yml");
  writeFileSync(config, `${lines.join("\n")}\n`);
  const child: ChildProcess = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const address = `127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt++) {
    try {
      await fetch(`http://${address}/v2/`);
      break;
    } catch (error) {
      if (attempt > 100 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    address,
    storage,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const digestOf = (data: Uint8Array) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** Uploads one blob whole; its digest. */
export async function pushBlob(base: string, data: Uint8Array, headers: Record<string, string> = {}): Promise<string> {
  const digest = digestOf(data);
  const head = await fetch(`${base}/blobs/${digest}`, { method: "HEAD", headers });
  if (head.ok) return digest;
  const start = await fetch(`${base}/blobs/uploads/`, { method: "POST", headers });
  const location = start.headers.get("location");
  if (location === null) throw new Error(`upload refused: ${start.status}`);
  const url = new URL(location, base);
  url.searchParams.set("digest", digest);
  const put = await fetch(url, {
    method: "PUT",
    body: data,
    headers: { ...headers, "content-type": "application/octet-stream" },
  });
  if (put.status !== 201) throw new Error(`blob refused: ${put.status} ${await put.text()}`);
  return digest;
}

export interface ImageSource {
  /** Folders, one per layer, base first. */
  readonly layers: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly mediaTypes?: "docker" | "oci";
  readonly headers?: Record<string, string>;
  /** This machine's by default. */
  readonly architecture?: string;
  /** Fields of every history entry. */
  readonly history?: Readonly<Record<string, string>>;
}

const NATIVE = process.arch === "x64" ? "amd64" : process.arch;

/** Tars, compresses and pushes an image; its manifest digest. */
export async function pushImage(registry: string, name: string, tag: string, source: ImageSource): Promise<string> {
  const base = `http://${registry}/v2/${name}`;
  const oci = source.mediaTypes === "oci";
  const headers = source.headers ?? {};
  const diffIds: string[] = [];
  const layers: object[] = [];
  for (const folder of source.layers) {
    const tar = execFileSync(
      "tar",
      ["--numeric-owner", "--sort=name", "--exclude=./.complete", "-C", folder, "-cf", "-", "."],
      { maxBuffer: 1 << 30 },
    );
    const blob = gzipSync(tar, { level: 1 });
    diffIds.push(digestOf(tar));
    layers.push({
      mediaType: oci
        ? "application/vnd.oci.image.layer.v1.tar+gzip"
        : "application/vnd.docker.image.rootfs.diff.tar.gzip",
      size: blob.length,
      digest: await pushBlob(base, blob, headers),
    });
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: source.architecture ?? NATIVE,
      os: "linux",
      created: "2026-01-01T00:00:00Z",
      config: {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Cmd: ["sh"],
        ...source.config,
      },
      rootfs: { type: "layers", diff_ids: diffIds },
      history: diffIds.map(() => ({
        created: "2026-01-01T00:00:00Z",
        created_by: "debian packages",
        ...source.history,
      })),
    }),
  );
  const manifestType = oci
    ? "application/vnd.oci.image.manifest.v1+json"
    : "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: oci ? "application/vnd.oci.image.config.v1+json" : "application/vnd.docker.container.image.v1+json",
      size: config.length,
      digest: await pushBlob(base, config, headers),
    },
    layers,
  });
  const put = await fetch(`${base}/manifests/${tag}`, {
    method: "PUT",
    body: manifest,
    headers: { ...headers, "content-type": manifestType },
  });
  if (put.status !== 201) throw new Error(`manifest refused: ${put.status} ${await put.text()}`);
  return digestOf(Buffer.from(manifest));
}

/** The same layers as images for amd64 and arm64 (they differ in their config alone), behind one index per tag. */
export async function pushPlatforms(
  registry: string,
  name: string,
  tags: readonly string[],
  layers: readonly string[],
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const base = `http://${registry}/v2/${name}/manifests`;
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifests: object[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const digest = await pushImage(registry, name, architecture, { layers, config, architecture, mediaTypes: "oci" });
    const stored = await fetch(`${base}/${digest}`, { headers: { accept: mediaType } });
    const { byteLength: size } = await stored.arrayBuffer();
    manifests.push({ mediaType, digest, size, platform: { os: "linux", architecture } });
  }
  const type = "application/vnd.oci.image.index.v1+json";
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests });
  for (const tag of tags) {
    const put = await fetch(`${base}/${tag}`, { method: "PUT", body, headers: { "content-type": type } });
    if (put.status !== 201) throw new Error(`index refused: ${put.status} ${await put.text()}`);
  }
}
