/** `container stop`: stop one or more running containers. */
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";

export const command: CommandSpec = {
  name: "container stop",
  summary: "Stop one or more running containers",
  example: "tscompose container stop demo-web-1",
  args: [{ name: "CONTAINER", required: true, variadic: true, complete: "container" }],
  options: [
    { long: "signal", short: "s", value: "string", help: "Signal to send to the container" },
    { long: "timeout", short: "t", value: "int", help: "Seconds to wait before killing the container" },
  ],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    const timeout = options.number("timeout");
    const signal = options.text("signal");
    return await forEachName(ctx, names, async (name) => {
      const { id } = await engine.containers.inspect(name);
      await engine.containers.stop(id, {
        ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
        ...(signal === undefined ? {} : { signal }),
      });
      return name;
    });
  },
};
