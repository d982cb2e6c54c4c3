/** What bringing a remote file needs. Types only. */
import type { ImagesApi } from "../../engine/api.js";

/** What remote loaders need from their surroundings. */
export interface RemoteSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens the engine's images, for registries. */
  readonly images: () => Promise<Pick<ImagesApi, "resolveDigest" | "fetchArtifact">>;
  readonly signal?: AbortSignal;
}
