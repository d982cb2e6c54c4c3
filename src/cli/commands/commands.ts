/** `commands`: every command with its flags, for comparison with the reference. */
import { given } from "../../lib/given.js";
import type { CommandSpec, CommandTable } from "../command.js";
import { globalOptionSpecs } from "../globals.js";
import { joined, printed, printedJson } from "../render/printed.js";

/** The command, over the table that it speaks of. */
export const commandOver = (table: CommandTable): CommandSpec => ({
  name: "commands",
  hidden: true,
  summary: "List every command and its flags",
  example: "tscompose commands --json",
  args: [],
  options: [{ long: "json", help: "One JSON object: command to flags" }],
  run: async (ctx, _args, options) => {
    const all = await table.loadAll();
    const list = [
      { name: "(global)", hidden: false, options: globalOptionSpecs },
      ...all.map((spec) => ({ name: spec.name, hidden: spec.hidden === true, options: spec.options })),
    ];
    if (options.flag("json")) {
      const described = list.map(({ name, hidden, options: specs }) => [
        name,
        {
          hidden,
          flags: specs.map(({ long, short, value, hidden: isHidden }) => ({
            long: `--${long}`,
            ...(short === undefined ? {} : { short: `-${short}` }),
            ...given({ value }),
            ...(isHidden === true ? { hidden: true } : {}),
          })),
        },
      ]);
      ctx.print(joined([printedJson(Object.fromEntries(described), 2), printed`\n`]));
    } else {
      for (const { name, options: specs } of list)
        ctx.print(printed`${name}: ${specs.map(({ long }) => `--${long}`).join(" ")}\n`);
    }
    return 0;
  },
});
