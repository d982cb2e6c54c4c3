/** The options of `publish`. Data only. */
import type { OptionSpec } from "../command.js";

/** docker compose's; `--insecure-registry` is taken with a warning that it has no effect. */
export const publishOptions: readonly OptionSpec[] = [
  { long: "app", help: "Published compose application (includes referenced images)" },
  { long: "insecure-registry", hidden: true, help: "Use insecure registry" },
  { long: "oci-version", value: "string", placeholder: "1.0|1.1", help: "OCI image/artifact specification version" },
  { long: "resolve-image-digests", help: "Pin image tags to digests" },
  { long: "with-env", help: "Include environment variables in the published OCI artifact" },
  { long: "yes", short: "y", help: 'Assume "yes" as answer to all prompts' },
];
