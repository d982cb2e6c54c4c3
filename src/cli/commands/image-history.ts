/** `image history`: the steps that an image was made in. */
import type { CommandSpec } from "../command.js";
import { printedLines } from "../render/printed.js";
import { type RowFormat, renderRows } from "../render/rows.js";
import { ago, ellipsis, goTime, humanSize, shortId } from "../render/units.js";

const FORMAT: RowFormat = {
  columns: ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"],
  headers: {
    ...{ ID: "IMAGE", CreatedSince: "CREATED", CreatedAt: "CREATED AT", CreatedBy: "CREATED BY" },
    ...{ Size: "SIZE", Comment: "COMMENT" },
  },
};
const CREATED_BY_WIDTH = 45;

export const command: CommandSpec = {
  name: "image history",
  summary: "Show the history of an image",
  example: "tscompose image history redis",
  args: [{ name: "IMAGE", required: true, complete: "image" }],
  options: [
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "human", short: "H", default: true, help: "Print sizes and dates in human readable format" },
    { long: "no-trunc", help: "Don't truncate output" },
    { long: "quiet", short: "q", help: "Only show image IDs" },
  ],
  run: async (ctx, args, options) => {
    const { images } = await ctx.engine();
    const trunc = !options.flag("no-trunc");
    const isHuman = options.flag("human");
    const name = args[0] ?? "";
    const image = await images.inspect(name);
    const sizes = await images.layerSizes(name);
    let layer = 0;
    const steps = image.history.map((step) => ({
      ...step,
      bytes: step.emptyLayer === true ? 0 : (sizes[layer++] ?? 0),
    }));
    const now = Date.now();
    // newest first; as with docker only the last step has an id of its own
    const rows = steps.toReversed().map((step, index) => {
      const createdBy = (step.createdBy ?? "").replaceAll("\t", " ");
      return {
        Comment: step.comment ?? "",
        CreatedAt: goTime(step.created ?? ""),
        CreatedBy: trunc ? ellipsis(createdBy, CREATED_BY_WIDTH) : createdBy,
        CreatedSince: isHuman ? ago(step.created ?? "", now) || "N/A" : (step.created ?? ""),
        ID: index > 0 ? "<missing>" : trunc ? shortId(image.id) : image.id,
        Size: isHuman ? humanSize(step.bytes) : String(step.bytes),
      };
    });
    if (options.flag("quiet")) ctx.print(printedLines(rows.map(({ ID }) => ID)));
    else ctx.print(renderRows(rows, FORMAT, options.text("format") ?? ""));
    return 0;
  },
};
