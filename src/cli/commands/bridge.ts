/** `bridge`: a group; shows what is in it. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "bridge",
  hidden: true,
  summary: "Convert compose files into another model",
  example: "tscompose bridge --help",
  args: [],
  options: [],
  run: async (ctx) => {
    const [{ overviewHelp }, { loadAllCommands }] = await Promise.all([
      import("../help.js"),
      import("../all-commands.js"),
    ]);
    const all = (await loadAllCommands()).filter((spec) => spec.name.startsWith("bridge "));
    ctx.print(
      overviewHelp(
        all.map((spec) => ({ ...spec, hidden: false })),
        "bridge",
      ),
    );
    return 0;
  },
};
