/** What of a compose file is honoured, told or refused: one table, and who asks it. */
export type { Met } from "./met.js";
export { allLimitsMet, limitsMet, limitText, namesAt, projectLimitsMet } from "./met.js";
export type { Outcome } from "./types.js";
