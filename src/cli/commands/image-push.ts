/** `image push`: from the store to its registry. */
import type { CommandSpec } from "../command.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "image push",
  summary: "Upload an image to a registry",
  example: "tscompose image push registry.example/app:1",
  args: [{ name: "NAME[:TAG]", required: true, complete: "image" }],
  options: [{ long: "quiet", short: "q", help: "Suppress progress output" }],
  run: async (ctx, args, options) => {
    const engine = await ctx.engine();
    const { withEngineProgress } = await import("../engine-progress.js");
    const { digest } = await withEngineProgress(ctx, options.flag("quiet"), (onProgress) =>
      engine.images.push(args[0] ?? "", { onProgress, signal: ctx.signal }),
    );
    ctx.print(printed`${digest}\n`);
    return 0;
  },
};
