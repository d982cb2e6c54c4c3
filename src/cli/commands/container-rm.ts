/** `container rm`: remove one or more containers. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "container rm",
  aliases: ["container remove"],
  summary: "Remove one or more containers",
  example: "tscompose container rm demo-web-1",
  args: [{ name: "CONTAINER", required: true, variadic: true, complete: "container" }],
  options: [
    { long: "force", short: "f", help: "Force the removal of a running container (uses SIGKILL)" },
    { long: "volumes", short: "v", help: "Remove anonymous volumes associated with the container" },
  ],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await forEachName(ctx, names, async (name) => {
      const { id } = await engine.containers.inspect(name);
      await engine.containers.remove(id, { force: options.flag("force"), volumes: options.flag("volumes") });
      return name;
    });
  },
};
