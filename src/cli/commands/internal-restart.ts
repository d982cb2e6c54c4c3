/** `internal restart ID`: brings a container back whose restart policy says so. Run by the supervisor, never by a person. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "internal restart",
  hidden: true,
  summary: "Used by the supervisor",
  example: "tscompose internal restart 4f3c2a1b",
  args: [{ name: "ID", required: true }],
  options: [],
  run: async (ctx, args) => {
    const engine = await ctx.engine();
    await engine.containers.restartByPolicy(args[0] ?? "");
    return 0;
  },
};
