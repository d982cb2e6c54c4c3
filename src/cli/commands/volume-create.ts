/** `volume create`: a volume outside any project. */
import { randomBytes } from "node:crypto";
import type { CommandSpec } from "../command.js";
import { keyValues } from "../key-values.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "volume create",
  summary: "Create a volume",
  example: "tscompose volume create shared",
  args: [{ name: "VOLUME" }],
  options: [
    { long: "driver", short: "d", value: "string", default: "local", help: "Specify volume driver name" },
    { long: "label", value: "list", help: "Set metadata for a volume" },
    { long: "opt", short: "o", value: "list", help: "Set driver specific options" },
  ],
  run: async (ctx, args, options) => {
    const engine = await ctx.engine();
    const volume = await engine.volumes.create({
      name: args[0] ?? randomBytes(32).toString("hex"),
      driver: options.text("driver") ?? "local",
      driverOpts: keyValues(options.list("opt")),
      labels: keyValues(options.list("label")),
      anonymous: args[0] === undefined,
    });
    ctx.print(printed`${volume.name}\n`);
    return 0;
  },
};
