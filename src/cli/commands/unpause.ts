/** Declares `unpause`. */
import type { CommandSpec } from "../command.js";
import { unpauseOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "unpause",
  summary: "unpause",
  example: "tscompose unpause",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: unpauseOptions,
  run: async () => notBuiltYet("unpause"),
};
