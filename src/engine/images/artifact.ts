/**
 * Pushes a manifest of plain files (an OCI artifact) and, when asked, stored images beside it in the same repository with an index that
 * refers to both. What the files are is the caller's business.
 */

import { isTscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { ArtifactFile, ArtifactRequest } from "../api.js";
import { digestOf } from "./digest.js";
import { type PushDeps, putManifest, uploadBytes, uploadImage } from "./push.js";
import { requireImage } from "./records.js";
import { familiarName, fullName, parseReference, withDefaultTag } from "./reference.js";
import type { Repository } from "./registry/index.js";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
/** The empty JSON of image-spec's guidance for artifacts. */
const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", data: Buffer.from("{}") };

interface Pushed {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** See `ImagesApi.pushArtifact`. OCI 1.1 first; registries that refuse its artifact type get the 1.0 form unless a version is asked for. */
export async function pushArtifact(deps: PushDeps, request: ArtifactRequest): Promise<{ digest: string }> {
  const reference = withDefaultTag(parseReference(request.reference));
  const repository = await deps.registries.forPush(reference);
  const image = familiarName(fullName(reference));
  const tag = reference.tag ?? "latest";
  const { signal } = request;
  for (const file of request.files) await uploadBytes(repository, image, file.data, signal);
  const write = async (version: "1.0" | "1.1"): Promise<Pushed> => {
    const config = version === "1.1" ? EMPTY : { mediaType: request.emptyConfigType, data: EMPTY.data };
    await uploadBytes(repository, image, config.data, signal);
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      ...(version === "1.1" ? { artifactType: request.artifactType } : {}),
      config: { ...descriptor(config), ...(version === "1.1" ? { data: "e30=" } : {}) },
      layers: request.files.map(descriptor),
      annotations: { "org.opencontainers.image.created": new Date().toISOString().replace(/\.\d+Z$/, "Z") },
    };
    return await putJson(repository, image, tag, MANIFEST, manifest, signal);
  };
  const artifact = await write(request.ociVersion ?? "1.1").catch((error: unknown) => {
    const isRefused = isTscError(error, "TSC_REGISTRY_PROTOCOL") || isTscError(error, "TSC_REGISTRY_INVALID");
    if (request.ociVersion !== undefined || !isRefused) throw error;
    return write("1.0");
  });
  if (request.images !== undefined) await pushIndex(deps, repository, image, artifact, request);
  return { digest: artifact.digest };
}

async function pushIndex(
  deps: PushDeps,
  repository: Repository,
  image: string,
  artifact: Pushed,
  request: ArtifactRequest,
): Promise<void> {
  const manifests: Pushed[] = [];
  for (const name of new Set(request.images)) {
    const packed = await uploadImage(deps, repository, image, requireImage(deps.ctx.state, name), [], request);
    await putManifest(repository, image, packed.digest, packed.manifest.mediaType, packed.data, request.signal);
    manifests.push({ mediaType: packed.manifest.mediaType, digest: packed.digest, size: packed.data.length });
  }
  const index = {
    schemaVersion: 2,
    mediaType: INDEX,
    artifactType: request.artifactType,
    manifests,
    subject: { mediaType: artifact.mediaType, digest: artifact.digest, size: artifact.size },
    annotations: request.annotations,
  };
  const data = Buffer.from(JSON.stringify(index));
  await putManifest(repository, image, digestOf(data), INDEX, data, request.signal);
}

function descriptor({ mediaType, data, annotations }: ArtifactFile) {
  const size = data.length;
  return { mediaType, digest: digestOf(data), size, ...given({ annotations }) };
}

async function putJson(
  repository: Repository,
  image: string,
  tag: string,
  mediaType: string,
  value: object,
  signal: AbortSignal | undefined,
): Promise<Pushed> {
  const data = Buffer.from(JSON.stringify(value));
  await putManifest(repository, image, tag, mediaType, data, signal);
  return { mediaType, digest: digestOf(data), size: data.length };
}
