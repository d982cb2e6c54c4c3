/** Declares `bridge convert`, which this build refuses by name. */
import type { CommandSpec } from "../command.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "bridge convert",
  summary: "Convert compose files to Kubernetes manifests, Helm charts, or another model",
  example: "tscompose bridge convert",
  args: [],
  options: [
    {
      long: "output",
      short: "o",
      value: "string",
      default: "out",
      help: "The output directory for the generated model",
    },
    { long: "templates", value: "string", help: "Directory containing transformation templates" },
    { long: "transformation", short: "t", value: "list", help: "Transformation to apply to compose model" },
  ],
  run: async () => notBuiltYet("bridge convert", "conversion to Kubernetes comes later"),
};
