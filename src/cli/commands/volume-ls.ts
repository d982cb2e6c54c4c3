/** `volume ls`: every volume of this engine. */
import type { CommandSpec } from "../command.js";
import { renderRows } from "../render/rows.js";
import { VOLUME_FORMAT, volumeRow } from "../render/volume-rows.js";

export const command: CommandSpec = {
  name: "volume ls",
  aliases: ["volume list"],
  summary: "List volumes",
  example: "tscompose volume ls",
  args: [],
  options: [
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "quiet", short: "q", help: "Only display volume names" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const volumes = (await engine.volumes.list()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (options.flag("quiet")) ctx.print(volumes.map((volume) => `${volume.name}\n`).join(""));
    else ctx.print(renderRows(volumes.map(volumeRow), VOLUME_FORMAT, options.text("format") ?? ""));
    return 0;
  },
};
