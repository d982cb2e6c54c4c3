/**
 * Images: pull, push, load, save, names and removal; building is src/engine/builder. Opening reads nothing: a command that touches no
 * registry loads no registry code.
 */
export { chainIdOf } from "./digest.js";
export { openDownloads } from "./downloads.js";
export { openImages } from "./images.js";
export type { Images } from "./images-api.js";
export { formatPlatform, hostPlatform, parsePlatform } from "./platform.js";
export { familiarName } from "./reference.js";
