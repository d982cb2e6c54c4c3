/** `network prune`: removes networks that no container, running or not, is meant to be on. */
import type { CommandSpec } from "../command.js";
import { pruneOptions, runPrune } from "../prune.js";

export const command: CommandSpec = {
  name: "network prune",
  summary: "Remove all unused networks",
  example: "tscompose network prune --force",
  args: [],
  options: [...pruneOptions],
  run: (ctx, _args, options) => runPrune(ctx, "network prune", { networks: true }, options),
};
