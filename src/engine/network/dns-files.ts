/** Content of aardvark-dns configuration files. Pure text; every value was checked before it comes here. */
import type { EndpointRecord } from "../state/endpoints.js";

/** Line 1: listen addresses, then one line per container. Undefined when nobody is there to be served. */
export function dnsFile(
  listen: readonly string[],
  upstream: readonly string[],
  records: readonly EndpointRecord[],
): string | undefined {
  if (listen.length === 0 || records.length === 0) return undefined;
  const lines = [upstream.length === 0 ? listen.join(",") : `${listen.join(",")} ${upstream.join(",")}`];
  for (const { containerId, endpoint, cni } of records) {
    if (cni.names.length === 0) continue;
    const line = `${containerId} ${endpoint.ipv4} ${endpoint.ipv6} ${cni.names.join(",")}`;
    lines.push(cni.dns.length === 0 ? line : `${line} ${cni.dns.join(",")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Inodes of sockets bound to `port` on each address, from /proc/PID/net/udp and udp6 text. */
export function boundSockets(udp: string, udp6: string, port: number): Map<string, string> {
  const sockets = new Map<string, string>();
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of [...udp.split("\n"), ...udp6.split("\n")]) {
    const fields = line.trim().split(/\s+/);
    const [hex, portHex] = (fields[1] ?? "").split(":");
    const inode = fields[9];
    if (hex === undefined || portHex !== wanted || inode === undefined) continue;
    sockets.set(hex, inode);
  }
  return sockets;
}

/** An address as /proc/net/udp writes it on a little-endian machine. */
export function procAddress(family: 4 | 6, value: bigint): string {
  const hex = value.toString(16).padStart(family === 4 ? 8 : 32, "0");
  return (hex.match(/.{8}/g) ?? [])
    .map((word) => (word.match(/../g) ?? []).reverse().join(""))
    .join("")
    .toUpperCase();
}
