/** `network inspect`: everything recorded about a network, as JSON or through a template. */
import type { CommandSpec } from "../command.js";
import { inspectAll } from "../inspect.js";
import { inspectNetwork } from "../render/inspect.js";

export const command: CommandSpec = {
  name: "network inspect",
  summary: "Display detailed information on one or more networks",
  example: "tscompose network inspect demo_default",
  args: [{ name: "NETWORK", required: true, variadic: true, complete: "network" }],
  options: [{ long: "format", short: "f", value: "string", help: "json, or a Go template" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    const containers = new Map((await engine.containers.list()).map(({ id, name }) => [id, name]));
    return await inspectAll(ctx, names, options.text("format"), async (name) =>
      inspectNetwork(await engine.networks.inspect(name), (id) => containers.get(id) ?? ""),
    );
  },
};
