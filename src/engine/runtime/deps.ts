/** What the runtime part is given by the engine. Heavy parts are functions, so that a command loads only what it uses. */
import type { EngineContext } from "../context.js";
import type { Images } from "../images/index.js";
import type { Networking } from "../network/types.js";
import type { Storage } from "../storage/index.js";
import type { ImageInfo } from "../types.js";
import type { Volumes } from "../volumes/index.js";
import type { HostFacts } from "./host.js";

/** What of the image part that running containers needs. */
interface ImageSource {
  inspect(reference: string, platform?: string): Promise<ImageInfo>;
  chainIdOf(diffIds: readonly string[]): string;
  /** For `commit`. */
  readonly store: Pick<Images, "find" | "commitLayer" | "createImage">;
}

/** What the runtime part is given by the engine. */
export interface RuntimeDeps {
  readonly ctx: EngineContext;
  readonly volumes: Volumes;
  storage(): Promise<Storage>;
  images(): Promise<ImageSource>;
  networking(): Promise<Networking>;
  /** Probed once per process. */
  host(): HostFacts;
}
