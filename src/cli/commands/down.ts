/** Declares `down`. */
import type { CommandSpec } from "../command.js";
import { downOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "down",
  summary: "down",
  example: "tscompose down",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: downOptions,
  run: async () => notBuiltYet("down"),
};
