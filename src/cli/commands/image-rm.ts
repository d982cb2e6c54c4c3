/** `image rm`: remove one or more images. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "image rm",
  aliases: ["image remove"],
  summary: "Remove one or more images",
  example: "tscompose image rm redis",
  args: [{ name: "IMAGE", required: true, variadic: true, complete: "image" }],
  options: [{ long: "force", short: "f", help: "Force removal of the image" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await forEachName(ctx, names, async (name) => {
      const { untagged, deleted } = await engine.images.remove(name, { force: options.flag("force") });
      return [...untagged.map((tag) => `Untagged: ${tag}`), ...deleted.map((id) => `Deleted: ${id}`)].join("\n");
    });
  },
};
