/** `container stats`: what containers use, those named or all that run. */
import type { CommandSpec } from "../command.js";
import { isLive } from "../select.js";
import { showStats, statsOptions } from "./stats.js";

export const command: CommandSpec = {
  name: "container stats",
  summary: "Display a live stream of container(s) resource usage statistics",
  example: "tscompose container stats --no-stream",
  args: [{ name: "CONTAINER", variadic: true, complete: "container" }],
  options: statsOptions,
  run: async (ctx, names, options) => {
    const { containers } = await ctx.engine();
    return await showStats(ctx, options, async () => {
      if (names.length > 0) return await Promise.all(names.map((name) => containers.inspect(name)));
      return (await containers.list()).filter((info) => options.flag("all") || isLive(info));
    });
  },
};
