/** `image inspect`: everything recorded about an image, as JSON or through a template. */
import type { CommandSpec } from "../command.js";
import { inspectAll } from "../inspect.js";
import { inspectImage } from "../render/inspect.js";

export const command: CommandSpec = {
  name: "image inspect",
  summary: "Display detailed information on one or more images",
  example: "tscompose image inspect redis",
  args: [{ name: "IMAGE", required: true, variadic: true, complete: "image" }],
  options: [{ long: "format", short: "f", value: "string", help: "json, or a Go template" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await inspectAll(ctx, names, options.text("format"), async (name) =>
      inspectImage(await engine.images.inspect(name)),
    );
  },
};
