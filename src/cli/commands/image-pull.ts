/** `image pull`: from its registry into the store. */
import { given } from "../../lib/given.js";
import type { CommandSpec } from "../command.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "image pull",
  summary: "Download an image from a registry",
  example: "tscompose image pull docker.io/library/redis:7",
  args: [{ name: "NAME[:TAG|@DIGEST]", required: true, variadic: true }],
  options: [
    { long: "platform", value: "string", help: "Pull for this platform, such as linux/arm64" },
    { long: "quiet", short: "q", help: "Suppress progress output" },
  ],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    const platform = options.text("platform");
    const { withEngineProgress } = await import("../engine-progress.js");
    for (const name of names) {
      const image = await withEngineProgress(ctx, options.flag("quiet"), (onProgress) =>
        engine.images.pull(name, { onProgress, signal: ctx.signal, ...given({ platform }) }),
      );
      ctx.print(printed`${image.id}\n`);
    }
    return 0;
  },
};
