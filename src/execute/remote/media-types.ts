/** The files of a compose project published as an OCI artifact: docker compose's media types, written by `publish` and read by `oci://`. */
export const COMPOSE_FILE_TYPE = "application/vnd.docker.compose.file+yaml";

/** Media type of an environment file in a compose artifact. */
export const ENV_FILE_TYPE = "application/vnd.docker.compose.envfile";
