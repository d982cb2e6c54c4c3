/** `internal cleanup ID`: settles an exited container. Run by the supervisor, never by a person. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "internal cleanup",
  hidden: true,
  summary: "Used by the supervisor",
  example: "tscompose internal cleanup 4f3c2a1b",
  args: [{ name: "ID", required: true }],
  options: [],
  run: async (ctx, args) => {
    const engine = await ctx.engine();
    await engine.containers.cleanup(args[0] ?? "");
    return 0;
  },
};
