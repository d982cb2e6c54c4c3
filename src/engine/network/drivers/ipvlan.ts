/** The driver `ipvlan`: containers with addresses of their own behind the MAC address of an interface of the machine. */
import { type NetworkDriver, STATIC_IPAM } from "./driver.js";
import { oneOf } from "./option-checks.js";
import { masterOf, PARENT_OPTIONS, parentProblem } from "./parent.js";

const mode = oneOf("l2", "l3", "l3s");

/** For root only. Mode `l2` unless an option says otherwise; containers share the parent's MAC address, so that a wireless one will do. */
export const ipvlan: NetworkDriver = {
  name: "ipvlan",
  needsRoot: true,
  subnets: "parent",
  ownsBridge: false,
  servesNames: () => false,
  takesPorts: false,
  mac: "fixed",
  holdsParent: true,
  defaultMtu: () => 0,
  options: { ...PARENT_OPTIONS, ipvlan_mode: mode, mode },
  programs: ["ipvlan", "static"],
  plugins: (wish) => [
    {
      type: "ipvlan",
      ...masterOf(wish),
      mode: wish.options["ipvlan_mode"] ?? wish.options["mode"] ?? "l2",
      ...(wish.mtu > 0 ? { mtu: wish.mtu } : {}),
      ipam: STATIC_IPAM,
    },
  ],
  check: (wish, links) => parentProblem(wish, links, { wireless: true }),
};
