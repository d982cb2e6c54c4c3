/** `container ls`: every container of this engine. */
import type { CommandSpec } from "../command.js";
import { applyFilters, filterOption, hasLabel, hasName } from "../filters.js";
import { CONTAINER_LS_FORMAT, containerRow } from "../render/container-rows.js";
import { printedLines } from "../render/printed.js";
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
    filterOption,
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "no-trunc", help: "Don't truncate output" },
    { long: "quiet", short: "q", help: "Only display container IDs" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const now = Date.now();
    const trunc = !options.flag("no-trunc");
    const filters = options.list("filter");
    // asking for a state asks for containers that do not run as well
    const isAll = options.flag("all") || filters.some((filter) => /^(status|exited)=/.test(filter));
    const listed = (await engine.containers.list()).filter((info) => isAll || isLive(info));
    const found = applyFilters(listed, filters, {
      id: (info, value) => info.id.startsWith(value),
      name: (info, value) => hasName(info.name, value),
      label: (info, value) => hasLabel(info.labels, value),
      status: (info, value) => info.state === value,
      health: (info, value) => info.health === value,
      exited: (info, value) => info.state === "exited" && String(info.exitCode) === value,
      ancestor: (info, value) => [info.imageName, `${info.imageName}:latest`, info.imageId].includes(value),
      volume: (info, value) => info.mounts.some(({ name, target }) => name === value || target === value),
      network: (info, value) => info.networks.some(({ network }) => network === value),
    }).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    if (options.flag("quiet")) ctx.print(printedLines(found.map(({ id }) => (trunc ? id.slice(0, 12) : id))));
    else {
      const rows = found.map((info) => containerRow(info, { now, trunc }));
      ctx.print(renderRows(rows, CONTAINER_LS_FORMAT, options.text("format") ?? ""));
    }
    return 0;
  },
};
