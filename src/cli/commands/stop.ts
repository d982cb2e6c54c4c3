/** Declares `stop`. */
import type { CommandSpec } from "../command.js";
import { stopOptions } from "../flags/lifecycle.js";
import { notBuiltYet } from "../not-built.js";

export const command: CommandSpec = {
  name: "stop",
  summary: "stop",
  example: "tscompose stop",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: stopOptions,
  run: async () => notBuiltYet("stop"),
};
