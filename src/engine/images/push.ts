/** Push: layers and config (only what the registry lacks), then the manifest, which makes it visible. */
import { isTscError, messageOf, TscError } from "../../lib/errors.js";
import { createLimiter } from "../../lib/limit.js";
import { type ImageRow, namesOf, setImageName } from "../state/images.js";
import type { ProgressListener } from "../types.js";
import { digestOf } from "./digest.js";
import type { Descriptor } from "./manifest.js";
import { type PackedImage, packImage } from "./packed.js";
import { requireImage } from "./records.js";
import { familiarName, fullName, parseReference, repositoryName, withDefaultTag } from "./reference.js";
import { registryError } from "./registry/errors.js";
import { type HttpResponse, protocolError } from "./registry/http.js";
import type { Registries, Repository } from "./registry/index.js";
import type { StoreDeps } from "./store-deps.js";

/** What a push needs. */
export interface PushDeps extends StoreDeps {
  readonly registries: Registries;
}

/** What a push is told besides the reference. */
export interface PushOptions {
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

const PARALLEL_UPLOADS = 3;
const UPLOAD_ATTEMPTS = 3;
/** Smaller blobs go in one PUT, larger ones as docker sends them: one PATCH, then PUT. */
const MONOLITHIC_BYTES = 1024 * 1024;
const PROGRESS_INTERVAL_MS = 100;

/** Pushes; see `ImagesApi.push`. The digest is the manifest's. */
export async function pushImage(deps: PushDeps, text: string, options: PushOptions): Promise<{ digest: string }> {
  const { ctx } = deps;
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined) {
    throw new TscError("TSC_IMAGE_REFERENCE_INVALID", `cannot push a digest reference: ${text}`, {
      kind: "invalid-input",
    });
  }
  const name = fullName(reference);
  const row = requireImage(ctx.state, name);
  const repository = await deps.registries.forPush(reference);
  const image = familiarName(name);
  const mountSources = namesOf(ctx.state, row.id)
    .digests.map((digestName) => digestName.slice(0, digestName.indexOf("@")))
    .filter((source) => source.startsWith(`${reference.domain}/`) && source !== repositoryName(reference))
    .map((source) => source.slice(reference.domain.length + 1));
  const packed = await uploadImage(deps, repository, image, row, mountSources, options);
  await putManifest(
    repository,
    image,
    reference.tag ?? "latest",
    packed.manifest.mediaType,
    packed.data,
    options.signal,
  );
  setImageName(ctx.state, `${repositoryName(reference)}@${packed.digest}`, row.id, "digest");
  ctx.emit({ type: "image", action: "push", id: image, name: image, attributes: { name: image } });
  return { digest: packed.digest };
}

/** Sends what the registry lacks of an image's layers and config; its manifest is the caller's to put. */
export async function uploadImage(
  deps: PushDeps,
  repository: Repository,
  image: string,
  row: ImageRow,
  mountSources: readonly string[],
  options: PushOptions,
): Promise<PackedImage> {
  const packed = await packImage(deps, row, { compress: true });
  const limiter = createLimiter(PARALLEL_UPLOADS);
  const distinct = [
    ...new Map([...packed.manifest.layers, packed.manifest.config].map((blob) => [blob.digest, blob])).values(),
  ];
  const upload = (blob: Descriptor) =>
    limiter(() =>
      pushBlob(deps, repository, image, blob, blob === packed.manifest.config ? [] : mountSources, options),
    );
  const results = await Promise.allSettled(distinct.map(upload));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return packed;
}

/** Puts a manifest under a tag or its digest. */
export async function putManifest(
  repository: Repository,
  image: string,
  tag: string,
  mediaType: string,
  data: Buffer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const response = await repository.session.send({
    method: "PUT",
    url: `/v2/${repository.path}/manifests/${tag}`,
    headers: { "content-type": mediaType },
    body: data,
    scopes: pushScopes(repository),
    signal,
  });
  if (response.status !== 201 && response.status !== 200)
    throw await registryError(response, { action: "push", image, what: "manifest" });
  response.body.resume();
}

/** Sends a small blob that is in memory, unless the registry has it. */
export async function uploadBytes(
  repository: Repository,
  image: string,
  data: Buffer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const blob = {
    mediaType: "application/octet-stream",
    digest: digestOf(data),
    size: data.length,
    urls: [],
    annotations: {},
  };
  const scopes = pushScopes(repository);
  const url = `/v2/${repository.path}/blobs/${blob.digest}`;
  const head = await repository.session.send({ method: "HEAD", url, scopes, followRedirects: true, signal });
  head.body.resume();
  if (head.status === 200) return;
  const location = await startUpload(repository, image, blob, undefined, signal);
  if (location === undefined) return;
  location.searchParams.set("digest", blob.digest);
  const headers = { "content-type": blob.mediaType, "content-length": String(blob.size) };
  const finished = await repository.session.send({ method: "PUT", url: location, scopes, signal, headers, body: data });
  if (finished.status !== 201 && finished.status !== 204)
    throw await registryError(finished, { action: "push", image, what: "upload" });
  finished.body.resume();
}

function pushScopes(repository: Repository, mountFrom?: string): string[] {
  const own = `repository:${repository.path}:pull,push`;
  return mountFrom === undefined ? [own] : [own, `repository:${mountFrom}:pull`];
}

async function pushBlob(
  deps: PushDeps,
  repository: Repository,
  image: string,
  blob: Descriptor,
  mountSources: readonly string[],
  options: PushOptions,
): Promise<void> {
  let lastTime = 0;
  const report = (phase: "pushing" | "done" | "exists" | "mounted", currentBytes: number) => {
    const now = Date.now();
    if (phase === "pushing" && now - lastTime < PROGRESS_INTERVAL_MS) return;
    lastTime = now;
    options.onProgress?.({
      type: "push-layer",
      image,
      digest: blob.digest,
      phase,
      currentBytes,
      totalBytes: blob.size,
    });
  };
  const head = await repository.session.send({
    method: "HEAD",
    url: `/v2/${repository.path}/blobs/${blob.digest}`,
    scopes: pushScopes(repository),
    followRedirects: true,
    signal: options.signal,
  });
  head.body.resume();
  if (head.status === 200) return report("exists", blob.size);
  for (let attempt = 1; ; attempt++) {
    try {
      const location = await startUpload(repository, image, blob, mountSources[0], options.signal);
      if (location === undefined) return report("mounted", blob.size);
      const onBytes = (bytes: number) => report("pushing", bytes);
      await sendBlob({ deps, repository, image, blob, start: location, onBytes, signal: options.signal });
      return report("done", blob.size);
    } catch (error) {
      const isPassing = isTscError(error, "TSC_REGISTRY_UNREACHABLE") || isTscError(error, "TSC_REGISTRY_UNAVAILABLE");
      if (!isPassing || attempt >= UPLOAD_ATTEMPTS || options.signal?.aborted === true) throw error;
      deps.ctx.warn(`push of ${image}: ${messageOf(error)}, trying again`);
    }
  }
}

/** Where to send the blob; undefined when the registry took it over from another repository of its own. */
async function startUpload(
  repository: Repository,
  image: string,
  blob: Descriptor,
  mountFrom: string | undefined,
  signal: AbortSignal | undefined,
): Promise<URL | undefined> {
  const query = mountFrom === undefined ? "" : `?mount=${blob.digest}&from=${encodeURIComponent(mountFrom)}`;
  const request = (scopes: string[], search: string) =>
    repository.session.send({
      method: "POST",
      url: `/v2/${repository.path}/blobs/uploads/${search}`,
      body: "",
      scopes,
      signal,
    });
  let response = await request(pushScopes(repository, mountFrom), query);
  if (mountFrom !== undefined && (response.status === 401 || response.status === 403)) {
    // no right to read the other repository: then send it
    response.body.resume();
    response = await request(pushScopes(repository), "");
  }
  if (response.status === 201) {
    response.body.resume();
    return undefined;
  }
  if (response.status !== 202) throw await registryError(response, { action: "push", image, what: "upload" });
  return uploadLocation(response);
}

/** The next upload address: relative or absolute, possibly on another host, never from https to http. */
function uploadLocation(response: HttpResponse): URL {
  response.body.resume();
  const url = URL.parse(response.headers.location ?? "", response.url.href);
  if (
    response.headers.location === undefined ||
    url === null ||
    (url.protocol !== "https:" && url.protocol !== "http:")
  ) {
    throw protocolError(response.url, "gave no valid upload location");
  }
  if (response.url.protocol === "https:" && url.protocol === "http:") {
    if (url.hostname !== response.url.hostname) throw protocolError(response.url, "upload location drops https");
    // a registry behind a TLS proxy that does not know it
    url.protocol = "https:";
    url.port = response.url.port;
  }
  url.username = "";
  url.password = "";
  return url;
}

interface Upload {
  readonly deps: PushDeps;
  readonly repository: Repository;
  readonly image: string;
  readonly blob: Descriptor;
  /** Where the registry takes it. */
  readonly start: URL;
  /** Hears how much has been read to be sent. */
  readonly onBytes: (total: number) => void;
  readonly signal: AbortSignal | undefined;
}

async function sendBlob({ deps, repository, image, blob, start, onBytes, signal }: Upload): Promise<void> {
  const { blobs } = deps;
  const scopes = pushScopes(repository);
  const body = () => {
    const source = blobs.open(blob.digest);
    let total = 0;
    source.on("data", (chunk: Buffer) => {
      total += chunk.length;
      onBytes(total);
    });
    return source;
  };
  const binary = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
  const isSmall = blob.size <= MONOLITHIC_BYTES;
  let location = start;
  if (!isSmall) {
    const patched = await repository.session.send({
      method: "PATCH",
      url: location,
      headers: binary,
      body,
      scopes,
      signal,
      attempts: 1,
    });
    if (patched.status !== 202) throw await registryError(patched, { action: "push", image, what: "upload" });
    location = uploadLocation(patched);
  }
  location.searchParams.set("digest", blob.digest);
  const finished = await repository.session.send({
    method: "PUT",
    url: location,
    scopes,
    signal,
    attempts: 1,
    ...(isSmall ? { headers: binary, body } : { body: "" }),
  });
  if (finished.status !== 201 && finished.status !== 204)
    throw await registryError(finished, { action: "push", image, what: "upload" });
  finished.body.resume();
}
