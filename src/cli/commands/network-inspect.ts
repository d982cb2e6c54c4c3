/** `network inspect`: everything recorded about a network, as JSON or through a template. */
import type { CommandSpec } from "../command.js";
import { inspectAll } from "../inspect.js";

export const command: CommandSpec = {
  name: "network inspect",
  summary: "Display detailed information on one or more networks",
  example: "tscompose network inspect demo_default",
  args: [{ name: "NETWORK", required: true, variadic: true, complete: "network" }],
  options: [{ long: "format", short: "f", value: "string", help: "json, or a Go template" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await inspectAll(ctx, names, options.text("format"), (name) => engine.networks.inspect(name));
  },
};
