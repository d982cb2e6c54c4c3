/** What can be done with images and artifacts. */
import type { ImageInfo, ProgressListener } from "../types.js";
import type { BuildRequest } from "./build.js";

/** What a pull is told besides the reference. */
export interface PullOptions {
  readonly platform?: string;
  /**
   * What becomes of the name when another image has it. `yield` (default): an image for this machine keeps or takes it, one for another
   * machine stands beside it. `leave`: whoever has it keeps it.
   */
  readonly names?: "yield" | "leave";
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** What can be done with images. References are docker's: name, tag, digest, id or a prefix of one. */
export interface ImagesApi {
  /** Always asks the registry; skips what is stored already. */
  pull(reference: string, options?: PullOptions): Promise<ImageInfo>;
  push(
    reference: string,
    options?: { onProgress?: ProgressListener; signal?: AbortSignal },
  ): Promise<{ digest: string }>;
  /** Pushes files as an OCI artifact; with `images`, also those images and an index of them. */
  pushArtifact(request: ArtifactRequest): Promise<{ digest: string }>;
  /** Reads an OCI artifact's files whole (at most 64 MiB); nothing is stored. */
  fetchArtifact(
    reference: string,
    options?: { signal?: AbortSignal },
  ): Promise<{ readonly digest: string; readonly files: readonly ArtifactFile[] }>;
  /**
   * By id, id prefix, name[:tag] or name@digest; undefined when not stored. Where several images share the name, the one for `platform`;
   * the answer may be for another when that one is not stored.
   */
  find(reference: string, platform?: string): Promise<ImageInfo | undefined>;
  /** Like `find`, but `TSC_IMAGE_NOT_FOUND`. */
  inspect(reference: string, platform?: string): Promise<ImageInfo>;
  list(): Promise<ImageInfo[]>;
  /** Unpacked bytes of an image's layers, base first. */
  layerSizes(reference: string): Promise<readonly number[]>;
  tag(source: string, target: string): Promise<void>;
  /** Untags; removes the image and unshared layers with its last name. `TSC_IMAGE_IN_USE` unless forced. */
  remove(reference: string, options?: { force?: boolean }): Promise<{ untagged: string[]; deleted: string[] }>;
  /** docker-archive or oci-archive file (plain or compressed); names of loaded images. */
  load(path: string, options?: { onProgress?: ProgressListener; signal?: AbortSignal }): Promise<string[]>;
  /** oci-archive + manifest.json that `docker load` reads too. */
  save(references: readonly string[], path: string): Promise<void>;
  /** Digest the registry has for a reference now, `sha256:…`; nothing is stored. */
  resolveDigest(reference: string): Promise<string>;
  build(request: BuildRequest): Promise<ImageInfo>;
  /** Reads the Dockerfile as `build` would and runs nothing; throws what is wrong with it. */
  checkBuild(request: BuildRequest): Promise<{ readonly file: string; readonly stages: number }>;
}

/** One file of an artifact. */
export interface ArtifactFile {
  readonly mediaType: string;
  readonly data: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An OCI artifact to push (image-spec 1.1, manifest.md). */
export interface ArtifactRequest {
  /** Where to: `registry/path[:tag]`. */
  readonly reference: string;
  /** `artifactType` of the manifest (OCI 1.1). */
  readonly artifactType: string;
  /** Media type of the empty config that stands for it in OCI 1.0. */
  readonly emptyConfigType: string;
  readonly files: readonly ArtifactFile[];
  /** Without it 1.1, and 1.0 when the registry refuses that. */
  readonly ociVersion?: "1.0" | "1.1";
  /** Names of stored images to send along. */
  readonly images?: readonly string[];
  /** Of the index of images. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}
