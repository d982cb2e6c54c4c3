/** The machine's interfaces as network drivers ask for them. Reads only. */
import { hasSetting, hasSysFile, machineFile } from "../../kernel/proc.js";
import type { Links } from "./drivers/index.js";

/** The interfaces of the namespace that this command runs in. */
export const machineLinks: Links = {
  has: (name) => hasSetting(`net/ipv4/conf/${name}`),
  isWireless: (name) => ["phy80211", "wireless"].some((file) => hasSysFile(`class/net/${name}/${file}`)),
  routed: () => routedLink(machineFile("net/route") ?? ""),
};

/** The interface of the default route in the text of /proc/net/route, or undefined. */
export function routedLink(routes: string): string | undefined {
  return routes
    .split("\n")
    .map((line) => line.split("\t"))
    .find(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")?.[0];
}
