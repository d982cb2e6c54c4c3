/** `alpha`: a group; shows what is in it. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "alpha",
  hidden: true,
  summary: "Experimental commands",
  example: "tscompose alpha --help",
  args: [],
  options: [],
  run: async (ctx) => {
    const [{ overviewHelp }, { loadAllCommands }] = await Promise.all([
      import("../help.js"),
      import("../all-commands.js"),
    ]);
    const all = (await loadAllCommands()).filter((spec) => spec.name.startsWith("alpha "));
    ctx.print(
      overviewHelp(
        all.map((spec) => ({ ...spec, hidden: false })),
        "alpha",
      ),
    );
    return 0;
  },
};
