/** Declares `up`. */
import type { CommandSpec } from "../command.js";
import { upOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "up",
  summary: "up",
  example: "tscompose up",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: upOptions,
  run: async () => notBuiltYet("up"),
};
