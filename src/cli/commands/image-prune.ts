/** `image prune`: removes images without a name; with `--all` those that no container uses. */
import type { CommandSpec } from "../command.js";
import { pruneOptions, runPrune } from "../prune.js";

export const command: CommandSpec = {
  name: "image prune",
  summary: "Remove unused images",
  example: "tscompose image prune --all --force",
  args: [],
  options: [{ long: "all", short: "a", help: "Remove all unused images, not just dangling ones" }, ...pruneOptions],
  run: (ctx, _args, options) => runPrune(ctx, "image prune", { images: { all: options.flag("all") } }, options),
};
