/**
 * The embedded engine's public face. Usable without compose; reads no environment but the one it is given.
 */
export type { ErrorKind, SourcePlace } from "../lib/errors.js";
export { isTscError, TscError, TscErrorList } from "../lib/errors.js";
export type * from "./api.js";
export type * from "./disk/types.js";
export { type Engine, openEngine } from "./open.js";
export type * from "./types.js";
