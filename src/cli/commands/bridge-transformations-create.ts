/** Declares `bridge transformations create`, which this build refuses by name. */
import type { CommandSpec } from "../command.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "bridge transformations create",
  summary: "Create a new transformation",
  example: "tscompose bridge transformations create",
  args: [{ name: "PATH", required: true }],
  options: [{ long: "from", short: "f", value: "string", help: "Existing transformation to copy" }],
  run: async () => notBuiltYet("bridge transformations create", "conversion to Kubernetes comes later"),
};
