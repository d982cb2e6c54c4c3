/** What drivers share that put containers on an interface of the machine. */
import type { Links, Problem, Wish } from "./driver.js";
import { interfaceName, MTU_OPTIONS } from "./option-checks.js";

/** Options of every driver with a parent. */
export const PARENT_OPTIONS = { ...MTU_OPTIONS, parent: interfaceName };

/** The `master` of a plugin; without one the plugin takes the interface of the default route. */
export function masterOf({ options }: Wish): { readonly master?: string } {
  const { parent = "" } = options;
  return parent === "" ? {} : { master: parent };
}

/** A parent that is not there, or (without `wireless`) one whose other end lets through no other MAC address than its own. */
export function parentProblem(
  { options }: Pick<Wish, "options">,
  links: Links,
  { wireless }: { readonly wireless: boolean },
): Problem | undefined {
  const asked = options["parent"] ?? "";
  const parent = asked === "" ? links.routed() : asked;
  const hint = "name an interface of this machine (`ip link`) with driver_opts: parent";
  const code = "TSC_NETWORK_PARENT";
  if (parent === undefined)
    return { code, what: "has no parent interface: none is named, and no default route shows one", hint };
  if (!links.has(parent)) return { code, what: `has the parent interface ${parent}, which is not there`, hint };
  if (wireless || !links.isWireless(parent)) return undefined;
  return {
    code,
    what: `has the wireless parent interface ${parent}, which carries no other MAC address than its own`,
    hint: "use the driver ipvlan, whose containers share the parent's MAC address",
  };
}
