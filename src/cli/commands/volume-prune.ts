/** `volume prune`: removes volumes that no container uses; without `--all` only anonymous ones. */
import type { CommandSpec } from "../command.js";
import { pruneOptions, runPrune } from "../prune.js";

export const command: CommandSpec = {
  name: "volume prune",
  summary: "Remove unused local volumes",
  example: "tscompose volume prune --force",
  args: [],
  options: [{ long: "all", short: "a", help: "Remove all unused volumes, not just anonymous ones" }, ...pruneOptions],
  run: (ctx, _args, options) => runPrune(ctx, "volume prune", { volumes: { all: options.flag("all") } }, options),
};
