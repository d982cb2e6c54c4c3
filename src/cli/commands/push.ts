/** Declares `push`. */
import type { CommandSpec } from "../command.js";
import { pushOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "push",
  summary: "push",
  example: "tscompose push",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: pushOptions,
  run: async () => notBuiltYet("push"),
};
