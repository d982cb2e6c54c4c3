/** The linter of compose projects: its rules, and what they find. */
export type { Finding } from "./check-project.js";
export { checkProject, RULES } from "./check-project.js";
export type { CheckContext, Complaint, Level, Rule } from "./types.js";
export { LEVELS } from "./types.js";
