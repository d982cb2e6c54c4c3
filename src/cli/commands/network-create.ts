/** `network create`: a network outside any project. */
import { DEFAULT_DRIVER } from "../../engine/network/drivers/index.js";
import { given } from "../../lib/given.js";
import type { CommandSpec } from "../command.js";
import { keyValues } from "../key-values.js";
import { printed } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "network create",
  summary: "Create a network",
  example: "tscompose network create --subnet 10.90.0.0/24 shared",
  args: [{ name: "NETWORK", required: true }],
  options: [
    { long: "attachable", help: "Every network is: accepted for docker's sake" },
    { long: "driver", short: "d", value: "string", default: DEFAULT_DRIVER.name, help: "Driver to manage the network" },
    { long: "gateway", value: "list", help: "IPv4 or IPv6 gateway for the subnet of the same position" },
    { long: "internal", help: "Restrict external access to the network" },
    { long: "ip-range", value: "list", help: "Allocate container IPs from a sub-range" },
    { long: "ipv6", help: "Enable IPv6 networking" },
    { long: "label", value: "list", help: "Set metadata on a network" },
    { long: "opt", short: "o", value: "list", help: "Set driver specific options" },
    { long: "subnet", value: "list", help: "Subnet in CIDR format" },
  ],
  run: async (ctx, args, options) => {
    const gateways = options.list("gateway");
    const ranges = options.list("ip-range");
    const subnets = options.list("subnet").map((subnet, index) => {
      const gateway = gateways[index];
      const ipRange = ranges[index];
      return { subnet, ...given({ gateway }), ...given({ ipRange }) };
    });
    if (subnets.length < Math.max(gateways.length, ranges.length)) {
      throw usage("every --gateway and --ip-range needs a --subnet");
    }
    const engine = await ctx.engine();
    const network = await engine.networks.create({
      name: args[0] ?? "",
      driver: options.text("driver") ?? DEFAULT_DRIVER.name,
      driverOpts: keyValues(options.list("opt")),
      labels: keyValues(options.list("label")),
      internal: options.flag("internal"),
      enableIpv6: options.flag("ipv6"),
      ...(subnets.length === 0 ? {} : { subnets }),
    });
    ctx.print(printed`${network.id}\n`);
    return 0;
  },
};
