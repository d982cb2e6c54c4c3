/** Disk use and prunes: one inventory, one plan, what is told is what is removed. */
export { openDisk } from "./disk.js";
