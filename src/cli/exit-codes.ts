/** The exit codes of the program, in one place. Decides nothing; `program.ts` maps errors to them. */

/** Success. */
export const EXIT_OK = 0;
/** Any error without a rule of its own, wrong flags and unknown commands included (as docker compose does). */
export const EXIT_ERROR = 1;
/** The runtime could not start the process at all (docker's 125). */
export const EXIT_ENGINE = 125;
/** The command was found but could not be executed. */
export const EXIT_NOT_EXECUTABLE = 126;
/** The command was not found in the container. */
export const EXIT_NOT_FOUND = 127;
/** Interrupted by SIGINT or cancelled. */
export const EXIT_CANCELLED = 130;
