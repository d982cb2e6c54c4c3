/** Carrying out operations: one file for each kind. */
export { runOperation } from "./run-operation.js";
