/** `volume inspect`: everything recorded about a volume, as JSON or through a template. */
import type { CommandSpec } from "../command.js";
import { inspectAll } from "../inspect.js";
import { inspectVolume } from "../render/inspect.js";

export const command: CommandSpec = {
  name: "volume inspect",
  summary: "Display detailed information on one or more volumes",
  example: "tscompose volume inspect demo_data",
  args: [{ name: "VOLUME", required: true, variadic: true, complete: "volume" }],
  options: [{ long: "format", short: "f", value: "string", help: "json, or a Go template" }],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    return await inspectAll(ctx, names, options.text("format"), async (name) =>
      inspectVolume(await engine.volumes.inspect(name)),
    );
  },
};
