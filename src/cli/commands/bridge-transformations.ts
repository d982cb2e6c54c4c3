/** `bridge transformations`: a group; shows what is in it. */
import type { CommandSpec, CommandTable } from "../command.js";

/** The command, over the table that it speaks of. */
export const commandOver = (table: CommandTable): CommandSpec => ({
  name: "bridge transformations",
  hidden: true,
  summary: "Manage transformation images",
  example: "tscompose bridge transformations --help",
  args: [],
  options: [],
  run: async (ctx) => {
    const { overviewHelp } = await import("../help.js");
    const all = (await table.loadAll()).filter((spec) => spec.name.startsWith("bridge transformations "));
    ctx.print(
      overviewHelp(
        all.map((spec) => ({ ...spec, hidden: false })),
        "bridge transformations",
      ),
    );
    return 0;
  },
});
