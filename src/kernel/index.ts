/** The door: opening the real kernel, and the types everybody else needs. */
export type * from "./kernel.js";
export { openLinuxKernel as openKernel } from "./linux.js";
