/** Labels with a meaning to the engine itself. */

/** On the containers that RUN steps of builds live in; the value names the building process. */
export const BUILD_STEP_LABEL = "com.tscompose.build";

/** On a container that the command which made it removes when it has ended; the value names that command's process. */
export const REMOVER_LABEL = "com.tscompose.remover";
