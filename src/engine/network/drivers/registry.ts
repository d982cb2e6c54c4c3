/** The registry of network drivers: what a compose file's `driver:` can be. Pure, so that planning and checking ask it too. */
import { own } from "../../../lib/own.js";
import { bridge } from "./bridge.js";
import type { NetworkDriver, UnmadeDriver } from "./driver.js";
import { ipvlan } from "./ipvlan.js";
import { macvlan } from "./macvlan.js";
import { host, none, overlay } from "./unmade.js";

/** Every driver that makes networks, the default one first. */
export const DRIVERS: readonly NetworkDriver[] = [bridge, macvlan, ipvlan];

/** The driver of a network that names none. */
export const DEFAULT_DRIVER = bridge;

const MADE = Object.fromEntries(DRIVERS.map((driver) => [driver.name, driver]));
const UNMADE = Object.fromEntries([host, none, overlay].map((driver) => [driver.name, driver]));

/** The driver of this name; undefined for what is none (the type of a foreign plugin, a word that makes no network). */
export function driverNamed(name: string): NetworkDriver | undefined {
  return own(MADE, name);
}

/** Docker's word for a driver that makes no network here, when it is one. */
export function unmadeNamed(name: string): UnmadeDriver | undefined {
  return own(UNMADE, name);
}

/** What a compose file's linter asks about a driver; undefined for a word that is none. */
export function driverFacts(
  name: string,
): { readonly refusal?: string; readonly needsRoot: boolean; readonly onParent: boolean } | undefined {
  const driver = driverNamed(name);
  if (driver !== undefined) return { needsRoot: driver.needsRoot, onParent: driver.subnets === "parent" };
  const unmade = unmadeNamed(name);
  return unmade === undefined ? undefined : { refusal: unmade.why, needsRoot: false, onParent: false };
}

/** Whether docker has a network of this name without anybody making it. */
export function isPredefined(name: string): boolean {
  return [bridge, host, none].some((driver) => driver.name === name);
}
