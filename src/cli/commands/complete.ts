/** `__complete`: what could come next on a command line; asked by the scripts of `completion`. Never fails loudly. */
import type { CommandSpec, CommandTable } from "../command.js";
import { joined, printed } from "../render/printed.js";

/** The command, over the table that it speaks of. */
export const commandOver = (table: CommandTable): CommandSpec => ({
  name: "__complete",
  hidden: true,
  summary: "Print candidates for the last word",
  example: "tscompose __complete -- logs we",
  args: [{ name: "WORD", variadic: true }],
  options: [],
  stopAtFirstArgument: true,
  run: async (ctx, words) => {
    const { complete } = await import("../complete.js");
    const { candidates, directive } = await complete(ctx, table, words);
    const lines = candidates.map(({ text, help }) => (help === "" ? printed`${text}\n` : printed`${text}\t${help}\n`));
    ctx.print(joined([...lines, printed`${directive}\n`]));
    return 0;
  },
});
