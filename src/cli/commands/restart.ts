/** Declares `restart`. */
import type { CommandSpec } from "../command.js";
import { restartOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "restart",
  summary: "restart",
  example: "tscompose restart",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: restartOptions,
  run: async () => notBuiltYet("restart"),
};
