/** `image tag`: another name for a stored image. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "image tag",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  example: "tscompose image tag redis:7 registry.example/redis:7",
  args: [
    { name: "SOURCE_IMAGE", required: true, complete: "image" },
    { name: "TARGET_IMAGE", required: true },
  ],
  options: [],
  run: async (ctx, args) => {
    const engine = await ctx.engine();
    await engine.images.tag(args[0] ?? "", args[1] ?? "");
    return 0;
  },
};
