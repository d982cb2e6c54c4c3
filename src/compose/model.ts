/**
 * The types of a loaded project: the canonical form that `docker compose config --format json` prints, field for
 * field (snake_case; sizes are decimal strings of bytes, durations Go strings such as `1m30s`, file modes octal
 * strings, ports and mounts in their long form). What is zero or empty is absent. Plain readonly data; no behaviour.
 * Extension keys (`x-…`) stay where they were written. One difference from the printed form: devices of
 * `blkio_config` have lowercase keys here.
 */

export type * from "./model/build.js";
export type * from "./model/deploy.js";
export type * from "./model/files.js";
export type * from "./model/hooks.js";
export type * from "./model/networks.js";
export type * from "./model/project.js";
export type * from "./model/service.js";
export type * from "./model/service-parts.js";
export type * from "./model/values.js";
export type * from "./model/volumes.js";
