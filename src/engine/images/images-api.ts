/** Images as the engine itself has them. Types only. */
import type { ImagesApi, LoginsApi } from "../api.js";
import type { LayerRow } from "../state/layers.js";
import type { ImageInfo } from "../types.js";
import type { CommitLayerRequest, CreateImageRequest } from "./create.js";
import type { ImageParts, RemovedParts } from "./prune.js";

/** Images plus what builder, `commit`, logins and prunes need of them. */
export interface Images extends Omit<ImagesApi, "build" | "checkBuild">, Disposable {
  /** Nothing that no image refers to is removed from the store, by this command or another, while `work` runs. */
  holding<T>(work: () => Promise<T>): Promise<T>;
  /** Makes a layer of a folder of changes; for the builder and `commit`. */
  commitLayer(request: CommitLayerRequest): Promise<LayerRow>;
  /** Stores an image made of layers that are here; for the builder and `commit`. */
  createImage(request: CreateImageRequest): Promise<ImageInfo>;
  /** The raw config JSON of a stored image, to derive another from. */
  readConfig(id: string): Readonly<Record<string, unknown>>;
  /** What `login` and `logout` do. */
  logins(): Promise<LoginsApi>;
  /** Every image with the layers and blobs it needs. */
  parts(): Promise<readonly ImageParts[]>;
  /** Whether layers and blobs are in the making. */
  isBusy(): Promise<boolean>;
  /** Removes images that no container uses and whose tags are still these, with all that only they need. */
  discard(images: readonly { readonly id: string; readonly tags: readonly string[] }[]): Promise<RemovedParts>;
  /** Removes layers and blobs that belong to no image; nothing while layers and blobs are in the making. */
  discardUnused(unused: {
    readonly layers: readonly string[];
    readonly blobs: readonly string[];
  }): Promise<RemovedParts>;
}
