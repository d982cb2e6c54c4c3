/** `image ls`: stored images. */
import { type Glob, PatternError, pathGlob } from "../../lib/glob.js";
import type { CommandSpec } from "../command.js";
import { applyFilters, booleanFilter, filterOption, hasLabel } from "../filters.js";
import { IMAGE_FORMAT, imageRows, splitReference } from "../render/image-rows.js";
import { printedLines } from "../render/printed.js";
import { renderRows } from "../render/rows.js";
import { shortId } from "../render/units.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "image ls",
  aliases: ["image list"],
  summary: "List images",
  example: "tscompose image ls",
  args: [{ name: "REPOSITORY[:TAG]", complete: "image" }],
  options: [
    filterOption,
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "no-trunc", help: "Don't truncate output" },
    { long: "quiet", short: "q", help: "Only show image IDs" },
  ],
  run: async (ctx, args, options) => {
    const engine = await ctx.engine();
    const trunc = !options.flag("no-trunc");
    const wanted = args[0] === undefined ? undefined : splitReference(args[0]);
    const images = applyFilters(await engine.images.list(), options.list("filter"), {
      label: ({ config }, value) => hasLabel(config.labels, value),
      dangling: ({ tags }, value) => (tags.length === 0) === booleanFilter(value),
      reference: ({ tags }, value) =>
        tags.map(splitReference).some(({ repository, tag }) => {
          const name = value.includes(":") ? `${repository}:${tag}` : repository;
          return referenceGlob(value).matches(name);
        }),
    }).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    const shown = images.filter(
      ({ tags }) =>
        wanted === undefined ||
        tags
          .map(splitReference)
          .some((one) => one.repository === wanted.repository && (wanted.tag || one.tag) === one.tag),
    );
    if (options.flag("quiet")) {
      ctx.print(printedLines(shown.map(({ id }) => (trunc ? shortId(id) : id))));
      return 0;
    }
    const now = Date.now();
    const rows = shown.flatMap((image) => imageRows(image, { now, trunc }));
    ctx.print(renderRows(rows, IMAGE_FORMAT, options.text("format") ?? ""));
    return 0;
  },
};

function referenceGlob(value: string): Glob {
  try {
    return pathGlob(value);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw usage(`invalid filter 'reference=${value}': ${error.message}`);
  }
}
