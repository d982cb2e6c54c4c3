/** `network disconnect`: takes a network away from a container, running or not. */
import { isTscError, TscError } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "network disconnect",
  summary: "Disconnect a container from a network",
  example: "tscompose network disconnect shared demo-db-1",
  args: [
    { name: "NETWORK", required: true, complete: "network" },
    { name: "CONTAINER", required: true, complete: "container" },
  ],
  options: [{ long: "force", short: "f", help: "No error when the container is not on the network" }],
  run: async (ctx, args, options) => {
    const { networks, containers } = await ctx.engine();
    const { name } = await networks.inspect(args[0] ?? "");
    const info = await containers.inspect(args[1] ?? "");
    const isOn =
      info.networks.some(({ network }) => network === name) ||
      (info.spec.networks ?? []).some(({ network }) => network === name);
    if (!isOn && options.flag("force")) return 0;
    if (!isOn) {
      throw new TscError("TSC_NETWORK_NOT_CONNECTED", `container ${info.name} is not connected to network ${name}`, {
        kind: "not-found",
      });
    }
    try {
      await containers.disconnectNetwork(info.id, name);
    } catch (error) {
      if (!options.flag("force") || !isTscError(error, "TSC_NETWORK_NOT_CONNECTED")) throw error;
    }
    return 0;
  },
};
