/** Declares `start`. */
import type { CommandSpec } from "../command.js";
import { startOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "start",
  summary: "start",
  example: "tscompose start",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: startOptions,
  run: async () => notBuiltYet("start"),
};
