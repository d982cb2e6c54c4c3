/** Declares `wait`. */
import type { CommandSpec } from "../command.js";
import { waitOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "wait",
  summary: "wait",
  example: "tscompose wait",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: waitOptions,
  run: async () => notBuiltYet("wait"),
};
