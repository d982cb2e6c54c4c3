/**
 * Manifests and indexes: OCI image-spec 1.1 and docker schema 2. Parses and checks bytes from strangers; fetches nothing.
 * A document may not be both a manifest and an index (CVE-2021-41190).
 */
import { isTscError, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { checkDigest } from "./digest.js";
import type { Platform } from "./platform.js";

/** Media types of the OCI image specification and docker's older ones (image-spec, media-types.md). */
export const MEDIA = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerSchema1: "application/vnd.docker.distribution.manifest.v1+json",
  dockerSchema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

/** What we accept from a registry, best first. */
export const ACCEPTED_MANIFESTS = [MEDIA.ociIndex, MEDIA.dockerList, MEDIA.ociManifest, MEDIA.dockerManifest].join(
  ", ",
);

/** Largest manifest or config we read, bytes (as containers/image). */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;
/** Most layers in one image: overlayfs stacks no more than 500. */
/** More than any file system here stacks. */
export const LAYER_LIMIT = 500;

/** What a manifest says of one blob (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Where a foreign layer may be had; only http(s). */
  readonly urls: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** The manifest of one image (image-spec, manifest.md). */
export interface ImageManifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** A list of manifests, for several platforms (image-spec, image-index.md). */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly (Descriptor & { readonly platform?: Platform })[];
}

function invalid(what: string, reason: string): TscError {
  return new TscError("TSC_IMAGE_MANIFEST_INVALID", `${what}: ${reason}`, { kind: "invalid-input" });
}

type Json = Readonly<Record<string, unknown>>;

function asObject(value: unknown, what: string, name: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(what, `${name} is not an object`);
  return value as Json;
}

/** Parses JSON bytes within the limit; `TSC_IMAGE_MANIFEST_INVALID`. */
export function parseJson(data: Uint8Array, what: string): Json {
  if (data.length > MANIFEST_LIMIT) throw invalid(what, `larger than ${MANIFEST_LIMIT} bytes`);
  try {
    return asObject(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)), what, "document");
  } catch (error) {
    if (isTscError(error)) throw error;
    throw invalid(what, "not valid JSON");
  }
}

function parseDescriptor(value: unknown, what: string, name: string): Descriptor {
  const raw = asObject(value, what, name);
  const size = raw.size;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(what, `${name} has no valid size`);
  const annotations: Record<string, string> = {};
  if (typeof raw.annotations === "object" && raw.annotations !== null) {
    for (const [key, text] of Object.entries(raw.annotations)) if (typeof text === "string") annotations[key] = text;
  }
  return {
    mediaType: typeof raw.mediaType === "string" ? raw.mediaType : "",
    digest: checkDigest(raw.digest, `${what}: ${name}`),
    size,
    urls: Array.isArray(raw.urls) ? raw.urls.filter((url): url is string => typeof url === "string") : [],
    annotations,
  };
}

/**
 * Parses a manifest or an index. `contentType` is what the transport said (empty when unknown) and must agree with the
 * document. `what` names it in errors. `TSC_IMAGE_MANIFEST_INVALID`, `TSC_IMAGE_MANIFEST_UNSUPPORTED`.
 */
export function parseManifest(data: Uint8Array, contentType: string, what: string): ImageManifest | ImageIndex {
  const raw = parseJson(data, what);
  const declared = typeof raw.mediaType === "string" ? raw.mediaType : "";
  const given = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const isKnown = (Object.values(MEDIA) as string[]).includes(given);
  if (isKnown && declared !== "" && declared !== given) {
    throw invalid(what, `content type ${given} disagrees with media type ${printable(declared, 100)}`);
  }
  const mediaType = declared !== "" ? declared : isKnown ? given : "";
  const isSchema1 = mediaType === MEDIA.dockerSchema1 || mediaType === MEDIA.dockerSchema1Signed;
  if (isSchema1 || raw.schemaVersion === 1) {
    throw new TscError("TSC_IMAGE_MANIFEST_UNSUPPORTED", `${what}: docker schema 1 manifests are not supported`, {
      kind: "unsupported",
      hint: "push the image again with a current tool",
    });
  }
  if (raw.schemaVersion !== 2) throw invalid(what, "schemaVersion is not 2");
  const looksIndex = "manifests" in raw;
  const looksManifest = "config" in raw || "layers" in raw;
  if (looksIndex && looksManifest) throw invalid(what, "has both manifests and layers");
  if (looksIndex) {
    if (mediaType !== "" && mediaType !== MEDIA.ociIndex && mediaType !== MEDIA.dockerList) {
      throw invalid(what, `media type ${printable(mediaType, 100)} is not that of an index`);
    }
    if (!Array.isArray(raw.manifests) || raw.manifests.length > 10000) throw invalid(what, "manifests is not a list");
    const manifests = raw.manifests.map((entry, i) => {
      const name = `manifests[${i}]`;
      const descriptor = parseDescriptor(entry, what, name);
      const platform = (entry as Json).platform;
      if (platform === undefined || platform === null) return descriptor;
      const { os, architecture, variant } = asObject(platform, what, `${name}.platform`);
      const text = (field: unknown) => (typeof field === "string" ? field : "");
      return { ...descriptor, platform: { os: text(os), architecture: text(architecture), variant: text(variant) } };
    });
    return { kind: "index", mediaType: mediaType === "" ? MEDIA.ociIndex : mediaType, manifests };
  }
  if (mediaType !== "" && mediaType !== MEDIA.ociManifest && mediaType !== MEDIA.dockerManifest) {
    throw invalid(what, `unsupported media type ${printable(mediaType, 100)}`);
  }
  if (!Array.isArray(raw.layers)) throw invalid(what, "layers is not a list");
  if (raw.layers.length > LAYER_LIMIT) throw invalid(what, `more than ${LAYER_LIMIT} layers`);
  const config = parseDescriptor(raw.config, what, "config");
  if (config.size > MANIFEST_LIMIT) throw invalid(what, `config is larger than ${MANIFEST_LIMIT} bytes`);
  const isImage =
    config.mediaType === "" || config.mediaType === MEDIA.ociConfig || config.mediaType === MEDIA.dockerConfig;
  if (!isImage) {
    throw new TscError(
      "TSC_IMAGE_MANIFEST_UNSUPPORTED",
      `${what}: an artifact of type ${printable(config.mediaType, 100)}, not a container image`,
      { kind: "unsupported" },
    );
  }
  return {
    kind: "manifest",
    mediaType: mediaType === "" ? MEDIA.ociManifest : mediaType,
    config,
    layers: raw.layers.map((layer, i) => parseDescriptor(layer, what, `layers[${i}]`)),
  };
}

/** An OCI manifest's exact bytes. */
export function writeManifest(
  config: Omit<Descriptor, "urls" | "annotations">,
  layers: readonly Omit<Descriptor, "urls" | "annotations">[],
): Buffer {
  const plain = ({ mediaType, digest, size }: Omit<Descriptor, "urls" | "annotations">) => ({
    mediaType,
    digest,
    size,
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      config: plain(config),
      layers: layers.map(plain),
    }),
  );
}
