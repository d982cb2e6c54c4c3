/** `container kill`: kill one or more running containers. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "container kill",
  summary: "Kill one or more running containers",
  example: "tscompose container kill demo-web-1",
  args: [{ name: "CONTAINER", required: true, variadic: true, complete: "container" }],
  options: [
    { long: "signal", short: "s", value: "string", default: "SIGKILL", help: "Signal to send to the container" },
  ],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await forEachName(ctx, names, async (name) => {
      const { id } = await engine.containers.inspect(name);
      await engine.containers.kill(id, options.text("signal"));
      return name;
    });
  },
};
