/** `config`: the project in its normal form, or one list of it. */
import type { CommandSpec } from "../command.js";
import { configOptions } from "../flags/config.js";

export const command: CommandSpec = {
  name: "config",
  summary: "Parse, resolve and render compose file in canonical format",
  example: "tscompose config --format json",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: configOptions,
  run: async (ctx, args, options) => await (await import("../show-config.js")).showConfig(ctx, args, options),
};
