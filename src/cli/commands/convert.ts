/** `convert`: the old name of `config`. */
import type { CommandSpec } from "../command.js";
import { configOptions } from "../flags/config.js";

export const command: CommandSpec = {
  name: "convert",
  hidden: true,
  summary: "Converts the compose file to platform's canonical format (alias of config)",
  example: "tscompose convert --services",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: configOptions,
  run: async (ctx, args, options) => await (await import("../show-config.js")).showConfig(ctx, args, options),
};
