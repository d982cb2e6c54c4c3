/**
 * Files given to a container from outside its image (compose secrets and configs), and what of a container is kept in private.
 */
export { injectFiles, removeInjectedFiles } from "./inject.js";
export { keepParts, keptContent, keptEnv, requiredEnv, type StoredSpec, splitSpec } from "./kept.js";
