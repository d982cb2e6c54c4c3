/**
 * The engine's side of supervision (native/supervisor.md): writes and removes watch files, starts the supervisor, reads
 * what it found out. Probes and restarts themselves are the supervisor's.
 */

export { importHealthEvents, readHealth } from "./findings.js";
export { ensureSupervisor, isSupervised } from "./supervisor.js";
export {
  hasWatches,
  isWatched,
  isWatchedRun,
  needsSupervision,
  unwatchContainer,
  watchContainer,
} from "./watch-file.js";
