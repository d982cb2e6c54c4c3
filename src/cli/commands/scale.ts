/** Declares `scale`. */
import type { CommandSpec } from "../command.js";
import { scaleOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "scale",
  summary: "scale",
  example: "tscompose scale",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: scaleOptions,
  run: async () => notBuiltYet("scale"),
};
