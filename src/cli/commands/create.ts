/** Declares `create`. */
import type { CommandSpec } from "../command.js";
import { createOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "create",
  summary: "create",
  example: "tscompose create",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: createOptions,
  run: async () => notBuiltYet("create"),
};
