/** `run`: one command in a new container of a service, with its dependencies up. */
import type { CommandSpec } from "../command.js";
import { runOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "run",
  summary: "Run a one-off command on a service",
  example: "tscompose run --rm web sh",
  args: [
    { name: "SERVICE", required: true, complete: "service" },
    { name: "COMMAND" },
    { name: "ARGS", variadic: true },
  ],
  options: runOptions,
  stopAtFirstArgument: true,
  run: async (ctx, args, options) => {
    const { runOneOff } = await import("../lifecycle/run-one-off.js");
    const [service = "", ...argv] = args;
    return await runOneOff(ctx, service, argv, options);
  },
};
