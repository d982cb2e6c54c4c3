/** Declares `kill`. */
import type { CommandSpec } from "../command.js";
import { killOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "kill",
  summary: "kill",
  example: "tscompose kill",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: killOptions,
  run: async () => notBuiltYet("kill"),
};
