/** `bridge transformations`: a group; shows what is in it. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "bridge transformations",
  hidden: true,
  summary: "Manage transformation images",
  example: "tscompose bridge transformations --help",
  args: [],
  options: [],
  run: async (ctx) => {
    const [{ overviewHelp }, { loadAllCommands }] = await Promise.all([
      import("../help.js"),
      import("../all-commands.js"),
    ]);
    const all = (await loadAllCommands()).filter((spec) => spec.name.startsWith("bridge transformations "));
    ctx.print(
      overviewHelp(
        all.map((spec) => ({ ...spec, hidden: false })),
        "bridge transformations",
      ),
    );
    return 0;
  },
};
