/** Containers: the runtime part. */
export { openContainers } from "./containers.js";
export type { Containers } from "./containers-api.js";
export { type HostFacts, probeHost } from "./host.js";
export { securityReport } from "./security-report.js";
