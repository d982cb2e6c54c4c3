/** `system df`: what is stored, what it takes on disk, and how much of it the prunes would free. */
import type { CommandSpec } from "../command.js";
import { DF_FORMAT, dfDetails, dfRow } from "../render/disk-rows.js";
import { renderRows } from "../render/rows.js";

export const command: CommandSpec = {
  name: "system df",
  summary: "Show disk usage",
  example: "tscompose system df --verbose",
  args: [],
  options: [
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "verbose", short: "v", help: "Show detailed information on space usage" },
  ],
  run: async (ctx, _args, options) => {
    const usage = await (await ctx.engine()).disk.usage(ctx.signal);
    const format = options.text("format") ?? "";
    if (options.flag("verbose")) ctx.print(dfDetails(usage, format, Date.now()));
    else ctx.print(renderRows(usage.rows.map(dfRow), DF_FORMAT, format));
    return 0;
  },
};
