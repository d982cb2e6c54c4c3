/** `container exec`: another process in a running container, docker's flags. */
import type { CommandSpec } from "../command.js";
import { execProcess, processOptions } from "./exec.js";

export const command: CommandSpec = {
  name: "container exec",
  summary: "Execute a command in a running container",
  example: "tscompose container exec -it demo-web-1 sh",
  stopAtFirstArgument: true,
  args: [
    { name: "CONTAINER", required: true, complete: "container" },
    { name: "COMMAND", required: true },
    { name: "ARGS", variadic: true },
  ],
  options: [
    ...processOptions,
    { long: "detach-keys", value: "string", help: "Override the key sequence for detaching" },
    { long: "interactive", short: "i", help: "Keep STDIN open even if not attached" },
    { long: "tty", short: "t", help: "Allocate a pseudo-TTY" },
  ],
  run: async (ctx, args, options) => {
    const [name = "", ...argv] = args;
    const engine = await ctx.engine();
    const info = await engine.containers.inspect(name);
    return await execProcess(ctx, info.id, argv, options, {
      tty: options.flag("tty"),
      stdin: options.flag("interactive"),
      detachKeys: options.text("detach-keys"),
    });
  },
};
