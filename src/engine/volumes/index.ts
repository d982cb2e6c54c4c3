/**
 * Named and anonymous volumes of the `local` driver: folders under root/volumes/NAME/_data, their devices
 * (driver_opts) and the first copy of an image's content. Never mounts anything into a container.
 */
export { validateVolumeName } from "./names.js";
export { openVolumes } from "./volumes.js";
export type { Volumes } from "./volumes-api.js";
