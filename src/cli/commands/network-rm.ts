/** `network rm`: remove one or more networks. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "network rm",
  aliases: ["network remove"],
  summary: "Remove one or more networks",
  example: "tscompose network rm demo_default",
  args: [{ name: "NETWORK", required: true, variadic: true, complete: "network" }],
  options: [{ long: "force", short: "f", help: "Do not error if the network does not exist" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await forEachName(ctx, names, async (name) => {
      if (options.flag("force") && (await engine.networks.find(name)) === undefined) return "";
      await engine.networks.remove(name);
      return name;
    });
  },
};
