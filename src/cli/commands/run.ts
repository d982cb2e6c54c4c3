/** Declares `run`. */
import type { CommandSpec } from "../command.js";
import { runOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "run",
  summary: "run",
  example: "tscompose run",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: runOptions,
  run: async () => notBuiltYet("run"),
};
