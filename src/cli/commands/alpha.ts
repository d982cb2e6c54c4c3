/** `alpha`: a group; shows what is in it. */
import type { CommandSpec, CommandTable } from "../command.js";

/** The command, over the table that it speaks of. */
export const commandOver = (table: CommandTable): CommandSpec => ({
  name: "alpha",
  hidden: true,
  summary: "Experimental commands",
  example: "tscompose alpha --help",
  args: [],
  options: [],
  run: async (ctx) => {
    const { overviewHelp } = await import("../help.js");
    const all = (await table.loadAll()).filter((spec) => spec.name.startsWith("alpha "));
    ctx.print(
      overviewHelp(
        all.map((spec) => ({ ...spec, hidden: false })),
        "alpha",
      ),
    );
    return 0;
  },
});
