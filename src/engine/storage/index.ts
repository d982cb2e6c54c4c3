/**
 * Layers and root filesystems. Owns everything under paths.storage and the mounts under paths.rootfs; knows no image names
 * and no registries. Folders: layers/SHORT/diff (complete, named by a row in `layers`), l/SHORT (short links for
 * lowerdir), containers/ID/{upper,work,top}, mount-points/ (under every container), tmp/ (work in progress), empty/.
 */
export type { FinishedLayer, StagedLayer } from "./layers.js";
export { listFolder, openScratch, type Scratch, type ScratchPlace } from "./scratch.js";
export { openStorage } from "./storage.js";
export type { Storage } from "./storage-api.js";
export { temporaryRootfsId } from "./temporary.js";
