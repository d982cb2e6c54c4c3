/** Reading one repository of a registry (distribution spec): manifests and blobs, checked against their digests. */
import { isTscError, TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import { digestOf, isDigest } from "../digest.js";
import { ACCEPTED_MANIFESTS, type Descriptor, MANIFEST_LIMIT } from "../manifest.js";
import { registryError, repositoryUnknown } from "./errors.js";
import { type HttpClient, type HttpResponse, protocolError, readBody, unreachable } from "./http.js";
import type { RegistrySession } from "./session.js";

/** A manifest as the registry sent it. */
export interface FetchedManifest {
  readonly data: Buffer;
  /** sha256 of exactly these bytes. */
  readonly digest: string;
  readonly contentType: string;
}

/** One repository of a registry, ready to be asked. */
export interface Repository {
  readonly session: RegistrySession;
  readonly http: HttpClient;
  /** Name on that server. */
  readonly path: string;
  /** For messages. */
  readonly image: string;
}

const ATTEMPTS_WITHOUT_PROGRESS = 5;

const pullScope = (repository: Repository) => [`repository:${repository.path}:pull`];

/** Gets a manifest by tag or digest; a digest is checked. */
export async function fetchManifest(
  repository: Repository,
  reference: string,
  signal?: AbortSignal,
): Promise<FetchedManifest> {
  const response = await repository.session.send({
    method: "GET",
    url: `/v2/${repository.path}/manifests/${reference}`,
    headers: { accept: ACCEPTED_MANIFESTS },
    scopes: pullScope(repository),
    followRedirects: true,
    signal,
  });
  if (response.status !== 200) {
    const error = await registryError(response, { action: "pull", image: repository.image, what: "manifest" });
    if (error.code !== "TSC_REGISTRY_MANIFEST_UNKNOWN" || (await isKnown(repository, signal))) throw error;
    throw repositoryUnknown({ action: "pull", image: repository.image }, response.url.host);
  }
  const data = await readBody(response, MANIFEST_LIMIT);
  const digest = digestOf(data);
  const claimed = response.headers["docker-content-digest"];
  if (isDigest(reference) ? digest !== reference : isDigest(claimed) && claimed !== digest) {
    throw mismatch(`${repository.image}: manifest`, isDigest(reference) ? reference : String(claimed), digest);
  }
  return { data, digest, contentType: response.headers["content-type"] ?? "" };
}

/** A wrong name and a wrong tag get the same answer; the list of tags tells them apart. True when the registry does not say. */
async function isKnown(repository: Repository, signal?: AbortSignal): Promise<boolean> {
  try {
    const response = await repository.session.send({
      method: "GET",
      url: `/v2/${repository.path}/tags/list?n=1`,
      headers: {},
      scopes: pullScope(repository),
      signal,
    });
    response.body.destroy();
    return response.status !== 404;
  } catch {
    return true;
  }
}

/** The digest a tag has now, without fetching the manifest where the registry says it in a header. */
export async function headManifest(repository: Repository, reference: string, signal?: AbortSignal): Promise<string> {
  const response = await repository.session.send({
    method: "HEAD",
    url: `/v2/${repository.path}/manifests/${reference}`,
    headers: { accept: ACCEPTED_MANIFESTS },
    scopes: pullScope(repository),
    followRedirects: true,
    signal,
  });
  response.body.resume();
  const digest = response.headers["docker-content-digest"];
  if (response.status === 200 && isDigest(digest)) return digest;
  // a HEAD answer has no error text, and some registries leave the header out
  return (await fetchManifest(repository, reference, signal)).digest;
}

/** A small blob (config) in memory, digest and size checked. */
export async function fetchSmallBlob(repository: Repository, blob: Descriptor, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readBlob(repository, blob, signal)) chunks.push(chunk);
  const data = Buffer.concat(chunks);
  const digest = digestOf(data);
  if (digest !== blob.digest) throw mismatch(`${repository.image}: blob`, blob.digest, digest);
  return data;
}

/**
 * The bytes of a blob, as one stream over as many connections as it takes: a broken transfer goes on where it stopped (Range).
 * Ends only when exactly `blob.size` bytes were given. The digest is the caller's to check.
 */
export async function* readBlob(
  repository: Repository,
  blob: Descriptor,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void> {
  let offset = 0;
  let failures = 0;
  let lastError: unknown;
  while (offset < blob.size || (blob.size === 0 && failures === 0)) {
    signal?.throwIfAborted();
    if (failures >= ATTEMPTS_WITHOUT_PROGRESS) throw lastError;
    const response = await requestBlob(repository, blob, offset, signal);
    let skip = response.status === 200 ? offset : 0;
    const before = offset;
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        let data = chunk;
        if (skip > 0) {
          const dropped = Math.min(skip, data.length);
          skip -= dropped;
          data = data.subarray(dropped);
        }
        if (data.length === 0) continue;
        offset += data.length;
        if (offset > blob.size) {
          throw new TscError(
            "TSC_REGISTRY_SIZE_MISMATCH",
            `${repository.image}: blob ${blob.digest} is longer than ${blob.size} bytes`,
            {
              kind: "denied",
            },
          );
        }
        yield data;
      }
      lastError = new TscError(
        "TSC_REGISTRY_SIZE_MISMATCH",
        `${repository.image}: blob ${blob.digest} ended at ${offset} of ${blob.size} bytes`,
        {
          kind: "unavailable",
        },
      );
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (isTscError(error)) throw error;
      lastError = unreachable(response.url, error);
    } finally {
      response.body.destroy();
    }
    failures = offset > before ? 1 : failures + 1;
    if (blob.size === 0) return;
  }
}

async function requestBlob(
  repository: Repository,
  blob: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  let response = await repository.session.send({
    method: "GET",
    url: `/v2/${repository.path}/blobs/${blob.digest}`,
    headers,
    scopes: pullScope(repository),
    followRedirects: true,
    signal,
  });
  if (response.status === 404 && blob.urls.length > 0) {
    response.body.resume();
    response = (await requestForeign(repository, blob, headers, signal)) ?? response;
  }
  if (response.status === 206) {
    const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
    if (offset === 0 || Number(start) !== offset) {
      response.body.destroy();
      throw protocolError(
        response.url,
        `answered range ${printable(response.headers["content-range"] ?? "", 60)} for bytes from ${offset}`,
      );
    }
    return response;
  }
  if (response.status === 200) return response;
  throw await registryError(response, { action: "pull", image: repository.image, what: "blob" });
}

/** Foreign layers come from strangers' servers: never with our credentials (CVE-2020-15157). */
async function requestForeign(
  repository: Repository,
  blob: Descriptor,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<HttpResponse | undefined> {
  for (const text of blob.urls.slice(0, 5)) {
    const url = URL.parse(text);
    if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) continue;
    url.username = "";
    url.password = "";
    const response = await repository.http.send({ method: "GET", url, headers, followRedirects: true, signal });
    if (response.status === 200 || response.status === 206) return response;
    response.body.resume();
  }
  return undefined;
}

/** `TSC_REGISTRY_DIGEST_MISMATCH`: the bytes are not what their name says. */
export function mismatch(what: string, wanted: string, got: string): TscError {
  return new TscError(
    "TSC_REGISTRY_DIGEST_MISMATCH",
    `${what} ${wanted} has content of digest ${got}; nothing was kept`,
    {
      kind: "denied",
      hint: "the registry's copy is damaged or was tampered with",
    },
  );
}
