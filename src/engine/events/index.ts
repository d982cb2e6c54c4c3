/**
 * Engine events: recording and streaming. Every command writes to the same table, so a follower in one
 * process sees what another one does; it is woken by inotify on SQLite's write-ahead log, not by polling.
 */
export { type Events, openEvents } from "./events.js";
