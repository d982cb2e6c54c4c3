/** Declares `pause`. */
import type { CommandSpec } from "../command.js";
import { pauseOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "pause",
  summary: "pause",
  example: "tscompose pause",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: pauseOptions,
  run: async () => notBuiltYet("pause"),
};
