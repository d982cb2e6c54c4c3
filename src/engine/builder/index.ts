/**
 * The Dockerfile builder. What each instruction does is in steps/, the language in dockerfile/. Starts no process itself:
 * RUN goes through `runStep`.
 */

export { stateOfImage } from "./base-image.js";
export { buildImage } from "./build.js";
export { type CacheFolder, cacheFolders, isCacheFolderInUse, removeCacheFolder } from "./cache-mounts.js";
export { applyChanges } from "./changes.js";
export type { BuildDeps, BuildImages, RunStep, RunStepRequest } from "./deps.js";
export { encodeImageConfig } from "./image-config.js";
export { checkBuild } from "./read-request.js";
export { containerRunStep } from "./run-step.js";
export { emptyState, type StageState } from "./state.js";
