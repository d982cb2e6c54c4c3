/** `container attach`: our standard streams to a running container's main process. */
import type { CommandSpec } from "../command.js";
import { attachOptions, attachTo } from "./attach.js";

export const command: CommandSpec = {
  name: "container attach",
  summary: "Attach local standard input, output, and error streams to a running container",
  example: "tscompose container attach demo-web-1",
  args: [{ name: "CONTAINER", required: true, complete: "container" }],
  options: attachOptions,
  run: async (ctx, args, options) => {
    const { containers } = await ctx.engine();
    return await attachTo(ctx, await containers.inspect(args[0] ?? ""), options);
  },
};
