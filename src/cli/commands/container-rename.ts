/** `container rename`: another name for a container. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "container rename",
  summary: "Rename a container",
  example: "tscompose container rename demo-web-1 old-web",
  args: [
    { name: "CONTAINER", required: true, complete: "container" },
    { name: "NEW_NAME", required: true },
  ],
  options: [],
  run: async (ctx, args) => {
    const { containers } = await ctx.engine();
    const { id } = await containers.inspect(args[0] ?? "");
    await containers.rename(id, args[1] ?? "");
    return 0;
  },
};
