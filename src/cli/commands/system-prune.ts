/** `system prune`: removes what nothing uses. */
import type { CommandSpec } from "../command.js";
import { pruneOptions, runPrune } from "../prune.js";

export const command: CommandSpec = {
  name: "system prune",
  summary: "Remove unused data",
  example: "tscompose system prune --all --volumes",
  args: [],
  options: [
    { long: "all", short: "a", help: "Remove all unused images, not just dangling ones" },
    ...pruneOptions,
    { long: "volumes", help: "Prune anonymous volumes" },
  ],
  run: (ctx, _args, options) => {
    const all = options.flag("all");
    return runPrune(
      ctx,
      "system prune",
      {
        containers: true,
        networks: true,
        images: { all },
        buildCache: { all },
        ...(options.flag("volumes") ? { volumes: { all: false } } : {}),
      },
      options,
    );
  },
};
