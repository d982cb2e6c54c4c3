/** `volume prune`: removes volumes that no container uses; without `--all` only anonymous ones. */
import { TscError } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";
import { forEachName } from "../inspect.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "volume prune",
  summary: "Remove unused local volumes",
  example: "tscompose volume prune --force",
  args: [],
  options: [
    { long: "all", short: "a", help: "Remove all unused volumes, not just anonymous ones" },
    { long: "force", short: "f", help: "Do not prompt for confirmation" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const [volumes, containers] = await Promise.all([engine.volumes.list(), engine.containers.list()]);
    const used = new Set(containers.flatMap((info) => info.mounts.map((mount) => mount.name)));
    const unused = volumes.filter((volume) => !used.has(volume.name) && (options.flag("all") || volume.anonymous));
    if (unused.length === 0) return 0;
    if (!options.flag("force")) {
      const kind = options.flag("all") ? "volumes" : "anonymous volumes";
      const isSure = await ctx.confirm(printed`Remove ${unused.length} ${kind} not used by any container?`, false);
      if (!isSure) {
        throw new TscError("TSC_CANCELLED", "volume prune was not confirmed", {
          kind: "cancelled",
          hint: "use --force where nobody can answer",
        });
      }
    }
    const names = unused.map((volume) => volume.name).toSorted();
    return await forEachName(ctx, names, async (name) => {
      await engine.volumes.remove(name);
      return name;
    });
  },
};
