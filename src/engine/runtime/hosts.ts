/** Content of a container's /etc/hosts. Pure. */
import { isIP } from "node:net";
import type { ContainerRow } from "../state/containers.js";
import type { NetworkEndpoint } from "../types.js";

const BASE = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "ff00::0\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** An address of a linked container and the names it has here. */
export interface LinkedAddress {
  readonly address: string;
  readonly names: readonly string[];
}

/** docker's lines: loopback, extra hosts, links, then the container's own addresses. Names with spaces or control characters are left out. */
export function hostsFile(
  row: Pick<ContainerRow, "spec" | "record">,
  endpoints: readonly NetworkEndpoint[],
  hostGateway: () => string,
  linked: readonly LinkedAddress[] = [],
): string {
  const lines = [...BASE];
  for (const { host, ip } of row.spec.extraHosts ?? []) {
    const address = ip === "host-gateway" ? hostGateway() : ip.replace(/^\[(.*)\]$/, "$1");
    if (isIP(address) !== 0 && isHostName(host)) lines.push(`${address}\t${host}`);
  }
  for (const { address, names } of linked) {
    const usable = names.filter(isHostName);
    if (isIP(address) !== 0 && usable.length > 0) lines.push(`${address}\t${usable.join(" ")}`);
  }
  const names = hostNames(row);
  for (const endpoint of endpoints) {
    for (const address of [endpoint.ipv4, endpoint.ipv6]) if (address !== "") lines.push(`${address}\t${names}`);
  }
  if (endpoints.length === 0 && row.spec.networkMode?.kind !== "none") lines.push(`127.0.1.1\t${names}`);
  return `${lines.join("\n")}\n`;
}

function hostNames(row: Pick<ContainerRow, "spec" | "record">): string {
  const { hostname } = row.record;
  const domain = row.spec.domainname;
  return domain === undefined || domain === "" ? hostname : `${hostname}.${domain} ${hostname}`;
}

function isHostName(name: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(name);
}
