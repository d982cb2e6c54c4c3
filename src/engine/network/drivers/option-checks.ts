/** Checks of driver options. Pure. */
import { isIP } from "node:net";
import { goBoolean } from "../../../lib/go-boolean.js";
import { isInterfaceName } from "../names.js";
import type { OptionCheck, Problem } from "./driver.js";

const wrong = (what: string): Problem => ({ code: "TSC_NETWORK_OPTION", what });

/** One of these words. */
export function oneOf(...words: readonly string[]): OptionCheck {
  return (value) => (words.includes(value) ? undefined : wrong(`is none of ${words.join(", ")}`));
}

/** What docker reads as true or false. */
export const boolean: OptionCheck = (value) =>
  goBoolean(value) === undefined ? wrong("is not true or false") : undefined;

/** An IPv4 address. */
export const ipv4: OptionCheck = (value) => (isIP(value) === 4 ? undefined : wrong("is not an IPv4 address"));

/** A name that an interface may have and our rules can carry. */
export const interfaceName: OptionCheck = (value) =>
  isInterfaceName(value)
    ? undefined
    : {
        code: "TSC_INTERFACE_NAME",
        what: "is not a valid interface name",
        hint: "use at most 15 letters, digits, '_', '.' and '-', a letter, digit or '_' first; not all, default or lo",
      };

const mtu: OptionCheck = (value) =>
  /^\d{2,5}$/.test(value) && Number(value) >= 68 && Number(value) <= 65535
    ? undefined
    : wrong("is not a number from 68 to 65535");

/** The MTU, in docker's and podman's words. */
export const MTU_OPTIONS: Readonly<Record<string, OptionCheck>> = { "com.docker.network.driver.mtu": mtu, mtu };

/** The MTU that is asked for, in bytes; 0 when none is. */
export function mtuIn(options: Readonly<Record<string, string>>): number {
  return Number(options["com.docker.network.driver.mtu"] ?? options["mtu"] ?? 0);
}
