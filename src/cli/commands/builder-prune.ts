/** `builder prune`: removes layers of builds that no image has, and the folders of cache mounts. */
import type { CommandSpec } from "../command.js";
import { pruneOptions, runPrune } from "../prune.js";

export const command: CommandSpec = {
  name: "builder prune",
  summary: "Remove build cache",
  example: "tscompose builder prune --filter until=48h",
  args: [],
  options: [
    { long: "all", short: "a", help: "Forget all build steps, not just those whose layers no image has" },
    ...pruneOptions,
  ],
  run: (ctx, _args, options) => runPrune(ctx, "builder prune", { buildCache: { all: options.flag("all") } }, options),
};
