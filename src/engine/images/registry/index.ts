/** Registry access as the image code sees it. */

export { applyAlias } from "./endpoints.js";
export { openRegistries, type Registries } from "./registries.js";
export { fetchManifest, fetchSmallBlob, headManifest, mismatch, type Repository, readBlob } from "./repository.js";
