/** `volume ls`: every volume of this engine. */
import type { CommandSpec } from "../command.js";
import { applyFilters, booleanFilter, filterOption, hasLabel, hasName } from "../filters.js";
import { printedLines } from "../render/printed.js";
import { renderRows } from "../render/rows.js";
import { VOLUME_FORMAT, volumeRow } from "../render/volume-rows.js";

export const command: CommandSpec = {
  name: "volume ls",
  aliases: ["volume list"],
  summary: "List volumes",
  example: "tscompose volume ls",
  args: [],
  options: [
    filterOption,
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "quiet", short: "q", help: "Only display volume names" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const filters = options.list("filter");
    const used = new Set(
      filters.some((filter) => filter.startsWith("dangling="))
        ? (await engine.containers.list()).flatMap(({ mounts }) => mounts.map(({ name }) => name))
        : [],
    );
    const volumes = applyFilters(await engine.volumes.list(), filters, {
      name: (volume, value) => hasName(volume.name, value),
      driver: (volume, value) => volume.driver === value,
      label: (volume, value) => hasLabel(volume.labels, value),
      dangling: (volume, value) => !used.has(volume.name) === booleanFilter(value),
    }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (options.flag("quiet")) ctx.print(printedLines(volumes.map(({ name }) => name)));
    else ctx.print(renderRows(volumes.map(volumeRow), VOLUME_FORMAT, options.text("format") ?? ""));
    return 0;
  },
};
