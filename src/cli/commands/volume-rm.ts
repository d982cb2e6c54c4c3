/** `volume rm`: remove one or more volumes. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "volume rm",
  aliases: ["volume remove"],
  summary: "Remove one or more volumes",
  example: "tscompose volume rm demo_data",
  args: [{ name: "VOLUME", required: true, variadic: true, complete: "volume" }],
  options: [{ long: "force", short: "f", help: "Do not error if the volume does not exist" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await forEachName(ctx, names, async (name) => {
      if (options.flag("force") && (await engine.volumes.find(name)) === undefined) return "";
      await engine.volumes.remove(name);
      return name;
    });
  },
};
