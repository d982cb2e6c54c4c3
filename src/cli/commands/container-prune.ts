/** `container prune`: removes containers that do not run. */
import type { CommandSpec } from "../command.js";
import { pruneOptions, runPrune } from "../prune.js";

export const command: CommandSpec = {
  name: "container prune",
  summary: "Remove all stopped containers",
  example: "tscompose container prune --filter until=24h",
  args: [],
  options: [...pruneOptions],
  run: (ctx, _args, options) => runPrune(ctx, "container prune", { containers: true }, options),
};
