/** Declares `publish`, which this build refuses by name. */
import type { CommandSpec } from "../command.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "publish",
  summary: "Publish compose application",
  example: "tscompose publish",
  args: [{ name: "REPOSITORY[:TAG]", required: true }],
  options: [
    { long: "app", help: "Published compose application (includes referenced images)" },
    { long: "insecure-registry", hidden: true, help: "Use insecure registry" },
    { long: "oci-version", value: "string", help: "OCI image/artifact specification version" },
    { long: "resolve-image-digests", help: "Pin image tags to digests" },
    { long: "with-env", help: "Include environment variables in the published OCI artifact" },
    { long: "yes", short: "y", help: 'Assume "yes" as answer to all prompts' },
  ],
  run: async () => notBuiltYet("publish", "publishing compose files as OCI artifacts comes later"),
};
