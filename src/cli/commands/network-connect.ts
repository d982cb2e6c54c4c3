/** `network connect`: one more network for a container, running or not. */
import { given } from "../../lib/given.js";
import type { CommandSpec } from "../command.js";
import { keyValues } from "../key-values.js";

export const command: CommandSpec = {
  name: "network connect",
  summary: "Connect a container to a network",
  example: "tscompose network connect --alias db shared demo-db-1",
  args: [
    { name: "NETWORK", required: true, complete: "network" },
    { name: "CONTAINER", required: true, complete: "container" },
  ],
  options: [
    { long: "alias", value: "list", help: "Add network-scoped alias for the container" },
    { long: "driver-opt", value: "list", help: "Driver options for the network" },
    { long: "gw-priority", value: "int", help: "Highest gives the default gateway" },
    { long: "ip", value: "string", help: "IPv4 address" },
    { long: "ip6", value: "string", help: "IPv6 address" },
    { long: "link-local-ip", value: "list", help: "Add a link-local address for the container" },
  ],
  run: async (ctx, args, options) => {
    const { networks, containers } = await ctx.engine();
    const { name } = await networks.inspect(args[0] ?? "");
    const { id } = await containers.inspect(args[1] ?? "");
    const [ipv4, ipv6, gatewayPriority] = [options.text("ip"), options.text("ip6"), options.number("gw-priority")];
    const lists = { aliases: options.list("alias"), linkLocalIps: options.list("link-local-ip") };
    const driverOpts = keyValues(options.list("driver-opt"));
    await containers.connectNetwork(id, {
      network: name,
      ...(lists.aliases.length === 0 ? {} : { aliases: lists.aliases }),
      ...(lists.linkLocalIps.length === 0 ? {} : { linkLocalIps: lists.linkLocalIps }),
      ...(Object.keys(driverOpts).length === 0 ? {} : { driverOpts }),
      ...given({ ipv4, ipv6, gatewayPriority }),
    });
    return 0;
  },
};
