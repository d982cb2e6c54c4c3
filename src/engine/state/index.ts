/**
 * The state database: opening, schema, transactions. One file of typed functions per table stands beside
 * this one. Durable facts only; what is true now is asked of the kernel.
 */
export { type SqlValue, State } from "./database.js";
export { openState } from "./open.js";
