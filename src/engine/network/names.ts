/** Which names may reach plugins, files and DNS. Owns the checks only: every other file may trust what passed here. */
import { TscError } from "../../lib/errors.js";

const CNI_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** CNI spec: network names and container ids. `TSC_NETWORK_NAME`. */
export function checkNetworkName(name: string): void {
  if (name.length > 200 || !CNI_NAME.test(name)) {
    throw new TscError("TSC_NETWORK_NAME", `network name ${JSON.stringify(name)} is not valid`, {
      kind: "invalid-input",
      hint: "start with a letter or digit, then letters, digits, '_', '.' and '-'",
    });
  }
}

/** `TSC_CONTAINER_ID`: the id becomes a CNI_CONTAINERID and a path segment. */
export function checkContainerId(id: string): void {
  if (id.length > 200 || !CNI_NAME.test(id)) {
    throw new TscError("TSC_CONTAINER_ID", `container id ${JSON.stringify(id)} is not valid`, {
      kind: "invalid-input",
    });
  }
}

/** A plugin `type` is looked up in the plugin folders and must not leave them (CVE-2021-20206). */
export function checkPluginType(type: unknown): string {
  if (typeof type !== "string" || !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(type)) {
    throw new TscError("TSC_CNI_CONFIG", `CNI plugin type ${JSON.stringify(type)} is not valid`, {
      kind: "invalid-input",
    });
  }
  return type;
}

/** Names in /proc/sys/net/ipv4/conf that stand for no interface, and the one that every namespace has. */
const RESERVED_INTERFACES = new Set(["all", "default", "lo"]);

/** Whether `checkInterfaceName` takes it. */
export function isInterfaceName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name) && !RESERVED_INTERFACES.has(name);
}

/**
 * Interface names, narrower than the kernel's: they become words of packet filter rules (where `+` is a wildcard and quotes end a
 * word), segments of /proc/sys and arguments of `ip`. `TSC_INTERFACE_NAME`.
 */
export function checkInterfaceName(name: string): void {
  if (!isInterfaceName(name)) {
    throw new TscError("TSC_INTERFACE_NAME", `interface name ${JSON.stringify(name)} is not valid`, {
      kind: "invalid-input",
      hint: "use at most 15 letters, digits, '_', '.' and '-', a letter, digit or '_' first; not all, default or lo",
    });
  }
}

/** Names served by DNS; separators of aardvark's files and of /etc/hosts can never pass. `TSC_DNS_NAME`. */
export function checkDnsName(name: string): void {
  if (!isDnsName(name)) {
    throw new TscError("TSC_DNS_NAME", `network alias ${JSON.stringify(name)} is not a host name`, {
      kind: "invalid-input",
      hint: "use letters, digits, '-', '_' and '.'",
    });
  }
}

/** Whether `checkDnsName` lets a name pass. */
export function isDnsName(name: string): boolean {
  return name.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(name);
}

/** `aa:bb:cc:dd:ee:ff`, unicast. `TSC_MAC_ADDRESS`. */
export function checkMac(mac: string): void {
  if (!/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(mac) || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) {
    throw new TscError("TSC_MAC_ADDRESS", `MAC address ${JSON.stringify(mac)} is not a unicast address`, {
      kind: "invalid-input",
    });
  }
}
