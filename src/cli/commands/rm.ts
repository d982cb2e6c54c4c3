/** Declares `rm`. */
import type { CommandSpec } from "../command.js";
import { rmOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "rm",
  summary: "rm",
  example: "tscompose rm",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: rmOptions,
  run: async () => notBuiltYet("rm"),
};
