/** `container start`: start one or more stopped containers. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "container start",
  summary: "Start one or more stopped containers",
  example: "tscompose container start demo-web-1",
  args: [{ name: "CONTAINER", required: true, variadic: true, complete: "container" }],
  options: [],
  run: async (ctx, names) => {
    const engine = await ctx.engine();
    return await forEachName(ctx, names, async (name) => {
      const { id } = await engine.containers.inspect(name);
      await engine.containers.start(id);
      return name;
    });
  },
};
