/** The options of `config`. Data only. */
import type { OptionSpec } from "../command.js";

/** `convert`, the old name of `config`, has them too. */
export const configOptions: readonly OptionSpec[] = [
  { long: "environment", help: "Print environment used for interpolation" },
  { long: "format", value: "string", help: "Format the output. Values: [yaml | json]" },
  { long: "hash", value: "string", help: "Print the service config hash, one per line" },
  { long: "images", help: "Print the image names, one per line" },
  { long: "lock-image-digests", help: "Produces an override file with image digests" },
  { long: "models", help: "Print the model names, one per line" },
  { long: "networks", help: "Print the network names, one per line" },
  { long: "no-consistency", help: "Don't check model consistency - warning: may produce invalid Compose output" },
  { long: "no-env-resolution", help: "Don't resolve service env files" },
  { long: "no-interpolate", help: "Don't interpolate environment variables" },
  { long: "no-normalize", help: "Don't normalize compose model" },
  { long: "no-path-resolution", help: "Don't resolve file paths" },
  { long: "output", short: "o", value: "string", complete: "file", help: "Save to file (default to stdout)" },
  { long: "profiles", help: "Print the profile names, one per line" },
  { long: "quiet", short: "q", help: "Only validate the configuration, don't print anything" },
  { long: "resolve-image-digests", help: "Pin image tags to digests" },
  { long: "services", help: "Print the service names, one per line" },
  { long: "variables", help: "Print model variables and default values" },
  { long: "volumes", help: "Print the volume names, one per line" },
];
