/** Declares `build`. */
import type { CommandSpec } from "../command.js";
import { buildOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "build",
  summary: "build",
  example: "tscompose build",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: buildOptions,
  run: async () => notBuiltYet("build"),
};
