/** What a container uses now, and its processes. */
export { containerStats, containerTop } from "./sample.js";
