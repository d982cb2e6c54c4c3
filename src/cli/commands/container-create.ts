/** `container create`: a container outside any project, not started. */
import type { CommandSpec } from "../command.js";
import { containerOptions } from "../container-flags.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "container create",
  summary: "Create a new container",
  example: "tscompose container create --name cache -v data:/data redis:7",
  stopAtFirstArgument: true,
  args: [{ name: "IMAGE", required: true, complete: "image" }, { name: "COMMAND" }, { name: "ARG", variadic: true }],
  options: containerOptions,
  run: async (ctx, args, options) => {
    const { makeContainer } = await import("../lifecycle/make-container.js");
    const more = options.flag("rm") ? { autoRemove: true } : {};
    const id = await makeContainer(ctx, args, options, { ...more, stdinOnce: options.flag("interactive") });
    ctx.print(printed`${id}\n`);
    return 0;
  },
};
