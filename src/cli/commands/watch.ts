/** Declares `watch`. */
import type { CommandSpec } from "../command.js";
import { watchOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "watch",
  summary: "watch",
  example: "tscompose watch",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: watchOptions,
  run: async () => notBuiltYet("watch"),
};
