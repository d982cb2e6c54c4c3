/** Declares `bridge transformations list`, which this build refuses by name. */
import type { CommandSpec } from "../command.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "bridge transformations list",
  summary: "List available transformations",
  example: "tscompose bridge transformations list",
  args: [],
  options: [
    { long: "format", value: "string", default: "table", help: "Format the output. Values: [table | json]" },
    { long: "quiet", short: "q", help: "Only display transformer names" },
  ],
  run: async () => notBuiltYet("bridge transformations list", "conversion to Kubernetes comes later"),
};
