/** Declares `pull`. */
import type { CommandSpec } from "../command.js";
import { pullOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "pull",
  summary: "pull",
  example: "tscompose pull",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: pullOptions,
  run: async () => notBuiltYet("pull"),
};
