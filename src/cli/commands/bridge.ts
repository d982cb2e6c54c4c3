/** `bridge`: a group; shows what is in it. */
import type { CommandSpec, CommandTable } from "../command.js";

/** The command, over the table that it speaks of. */
export const commandOver = (table: CommandTable): CommandSpec => ({
  name: "bridge",
  hidden: true,
  summary: "Convert compose files into another model",
  example: "tscompose bridge --help",
  args: [],
  options: [],
  run: async (ctx) => {
    const { overviewHelp } = await import("../help.js");
    const all = (await table.loadAll()).filter((spec) => spec.name.startsWith("bridge "));
    ctx.print(
      overviewHelp(
        all.map((spec) => ({ ...spec, hidden: false })),
        "bridge",
      ),
    );
    return 0;
  },
});
