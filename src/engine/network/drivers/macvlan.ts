/** The driver `macvlan`: containers with MAC addresses of their own on an interface of the machine. */
import { type NetworkDriver, STATIC_IPAM } from "./driver.js";
import { oneOf } from "./option-checks.js";
import { masterOf, PARENT_OPTIONS, parentProblem } from "./parent.js";

const mode = oneOf("bridge", "private", "vepa", "passthru");

/** For root only. Mode `bridge` unless an option says otherwise; not on a wireless parent, which carries no MAC address but its own. */
export const macvlan: NetworkDriver = {
  name: "macvlan",
  needsRoot: true,
  subnets: "parent",
  ownsBridge: false,
  servesNames: () => false,
  takesPorts: false,
  mac: "given",
  holdsParent: true,
  defaultMtu: () => 0,
  options: { ...PARENT_OPTIONS, macvlan_mode: mode, mode },
  programs: ["macvlan", "static"],
  plugins: (wish) => [
    {
      type: "macvlan",
      ...masterOf(wish),
      mode: wish.options["macvlan_mode"] ?? wish.options["mode"] ?? "bridge",
      ...(wish.mtu > 0 ? { mtu: wish.mtu } : {}),
      ipam: STATIC_IPAM,
      capabilities: { mac: true },
    },
  ],
  check: (wish, links) => parentProblem(wish, links, { wireless: false }),
};
