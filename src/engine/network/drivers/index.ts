/** Network drivers as values: what each needs, makes and knows. */
export { BRIDGE_NAME, bridgeOf, hostBinding, isolatesContainers, masquerades } from "./bridge.js";
export { bridgeJoinOf, bridgeResult } from "./bridge-plugin.js";
export type { Links, NetworkDriver, Problem } from "./driver.js";
export { mtuIn } from "./option-checks.js";
export { DEFAULT_DRIVER, DRIVERS, driverFacts, driverNamed, isPredefined, unmadeNamed } from "./registry.js";
