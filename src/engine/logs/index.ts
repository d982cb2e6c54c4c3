/** Containers' logs. They are written by conmon; nothing here writes one or decides when a container ended. */

export { beginRun } from "./begin.js";
export { checkLogging } from "./options.js";
export { type ReadLogOptions, readLog } from "./read-log.js";
