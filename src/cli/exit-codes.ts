/** The exit codes of the program, in one place. Decides nothing; `program.ts` maps errors to them. */

/** Success. */
export const EXIT_OK = 0;
/** Any error without a rule of its own, wrong flags and unknown commands included (as docker compose does). */
export const EXIT_ERROR = 1;
/** Interrupted by SIGINT or cancelled. */
export const EXIT_CANCELLED = 130;
