/** `container ls`: every container of this engine. */
import type { CommandSpec } from "../command.js";
import { CONTAINER_LS_FORMAT, containerRow } from "../render/container-rows.js";
import { renderRows } from "../render/rows.js";
import { isLive } from "../select.js";

export const command: CommandSpec = {
  name: "container ls",
  aliases: ["container list", "container ps"],
  summary: "List containers",
  example: "tscompose container ls --all",
  args: [],
  options: [
    { long: "all", short: "a", help: "Show all containers (default shows just running)" },
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "no-trunc", help: "Don't truncate output" },
    { long: "quiet", short: "q", help: "Only display container IDs" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const now = Date.now();
    const trunc = !options.flag("no-trunc");
    const found = (await engine.containers.list())
      .filter((info) => options.flag("all") || isLive(info))
      .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    if (options.flag("quiet")) ctx.print(found.map(({ id }) => `${trunc ? id.slice(0, 12) : id}\n`).join(""));
    else {
      const rows = found.map((info) => containerRow(info, { now, trunc }));
      ctx.print(renderRows(rows, CONTAINER_LS_FORMAT, options.text("format") ?? ""));
    }
    return 0;
  },
};
