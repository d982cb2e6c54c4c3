/** The images that stages begin with. */
import { changedError, isTscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { BuildRequest } from "../api.js";
import { chainIdOf, formatPlatform, parsePlatform } from "../images/index.js";
import type { ImageInfo } from "../types.js";
import type { BuildImages } from "./deps.js";
import type { StageState } from "./state.js";

/** The image of that name for a stage's platform ("" for none of its own), pulled when it is not stored. Errors are those of a pull. */
export async function baseImage(
  images: BuildImages,
  request: BuildRequest,
  name: string,
  stagePlatform: string,
): Promise<ImageInfo> {
  const wanted = stagePlatform !== "" ? stagePlatform : request.platform;
  // a name may belong to another platform's image: what is asked for, else this machine's, comes first
  const platform = parsePlatform(wanted);
  const stored = request.pull === true ? undefined : await images.find(name, formatPlatform(platform));
  if (stored !== undefined && ["", platform.architecture].includes(stored.architecture)) return stored;
  // a name that services run from is not moved by a build that only reads from it
  try {
    const { onProgress, signal } = request;
    return await images.pull(name, { names: "leave", ...given({ platform: wanted, onProgress, signal }) });
  } catch (error) {
    // an image that is here for another platform only, and no platform asked for: that one, as a run would take it
    if (stored !== undefined && wanted === undefined) return stored;
    if (!isTscError(error, "TSC_IMAGE_PLATFORM")) throw error;
    throw changedError(error, { message: `${name}: no match for platform in manifest: not found` });
  }
}

/** The state that an image is. */
export function stateOfImage(image: ImageInfo): StageState {
  return {
    config: image.config,
    diffIds: image.diffIds,
    chainId: chainIdOf(image.diffIds),
    history: image.history,
    createdAt: image.createdAt,
    author: "",
    architecture: image.architecture,
    os: image.os,
    variant: image.variant,
    args: {},
    hasCommand: false,
  };
}
