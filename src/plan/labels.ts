/** The labels docker compose writes on what it makes; tools read them, so their names and values are fixed. No behaviour. */

/** docker compose's labels, by which its objects and ours are found. */
export const LABEL = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  version: "com.docker.compose.version",
  workingDir: "com.docker.compose.project.working_dir",
  configFiles: "com.docker.compose.project.config_files",
  environmentFile: "com.docker.compose.project.environment_file",
  oneOff: "com.docker.compose.oneoff",
  configHash: "com.docker.compose.config-hash",
  number: "com.docker.compose.container-number",
  dependsOn: "com.docker.compose.depends_on",
  image: "com.docker.compose.image",
  imageVolumeDigest: "com.docker.compose.image-volume-digest",
  replace: "com.docker.compose.replace",
  slug: "com.docker.compose.slug",
  hook: "com.docker.compose.hook",
  network: "com.docker.compose.network",
  volume: "com.docker.compose.volume",
  /** Ours: digest of inline configs and secrets, which the config hash does not cover. */
  files: "org.tscompose.files-hash",
} as const;

/** Under these stand marks of this program; nobody else may set them. */
const OURS = ["com.tscompose.", "org.tscompose."];

/** A person's labels of a container without those that are ours to set; each left out is told. */
export function withoutOurs(
  labels: Readonly<Record<string, string>>,
  what: string,
  warn: (message: string) => void,
): Record<string, string> {
  const kept = Object.entries(labels).filter(([key]) => {
    if (!OURS.some((prefix) => key.startsWith(prefix))) return true;
    warn(`${what}: label ${JSON.stringify(key)} is left out: that prefix is reserved`);
    return false;
  });
  return Object.fromEntries(kept);
}

/** The value of the version label: the docker compose whose rules we follow. */
export const COMPOSE_VERSION = "2.40.3";
