/** Which names the name server of a network answers for a container. Pure. */
import { checkDnsName, isDnsName } from "./names.js";

/** What DNS answers for on a network. */
export interface NamesOf {
  readonly containerId: string;
  readonly containerName: string;
  /** May be empty. */
  readonly hostname: string;
  readonly aliases: readonly string[];
}

/**
 * Names that DNS serves for an attachment, as docker's does: container name, aliases, host name, short id, and all of them as `NAME.NETWORK`;
 * no repeats. `TSC_DNS_NAME` for an alias.
 */
export function servedNames({ containerId, containerName, hostname, aliases }: NamesOf, network: string): string[] {
  for (const alias of aliases) checkDnsName(alias);
  // Container and host names may be no names of DNS (a trailing dot or dash); only aliases a person wrote are errors.
  const names = [containerName, ...aliases, hostname, containerId.slice(0, 12)].filter(isDnsName);
  const served = new Map<string, string>();
  for (const name of [...names, ...names.map((one) => `${one}.${network}`).filter(isDnsName)]) {
    if (!served.has(name.toLowerCase())) served.set(name.toLowerCase(), name);
  }
  return [...served.values()];
}
