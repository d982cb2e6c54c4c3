/** `system reset`: removes everything this engine has on the machine; what remains is the program. */
import type { CommandSpec } from "../command.js";
import { confirmOrCancel } from "../prune.js";
import { joined, printed, printedLines } from "../render/printed.js";
import { humanSize } from "../render/units.js";

export const command: CommandSpec = {
  name: "system reset",
  summary: "Remove all containers, images, volumes and networks, and the store itself",
  example: "tscompose system reset --force",
  args: [],
  options: [{ long: "force", short: "f", help: "Do not prompt for confirmation" }],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const { rows, stored } = await engine.disk.usage(ctx.signal);
    const { root, runRoot } = await engine.info();
    const running = stored.containers.filter(({ state }) => state === "running" || state === "paused");
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
    if (!options.flag("force")) {
      const networks = stored.networks.filter(({ predefined }) => !predefined);
      const question = joined([
        printedLines([
          "WARNING! This will remove:",
          `  - ${stored.containers.length} containers (${running.length} running)`,
          `  - ${stored.images.length} images`,
          `  - ${stored.volumes.length} volumes, with their data`,
          `  - ${networks.length} networks`,
          `  - the build cache and the store ${root}`,
          "",
        ]),
        printed`Are you sure you want to continue?`,
      ]);
      await confirmOrCancel(ctx, "system reset", question);
    }
    await engine.reset();
    ctx.print(printedLines([`Removed: ${root}`, `Removed: ${runRoot}`, `Total reclaimed space: ${humanSize(bytes)}`]));
    return 0;
  },
};
