/** The short form of a service's ports: `[[IP:]HOST:]CONTAINER[/PROTOCOL]` with ranges. Pure text to data. */
import { isIP } from "node:net";
import { messageOf, TscError } from "../../lib/errors.js";

/** One long-form port of a short form. */
export interface ParsedPort {
  mode: string;
  host_ip?: string;
  target?: number;
  published?: string;
  protocol: string;
}

/** Ports of one entry, one per port of a range. Throws TSC_COMPOSE_PORT_INVALID. */
export function parsePorts(spec: string): ParsedPort[] {
  try {
    return parse(spec);
  } catch (error) {
    throw new TscError("TSC_COMPOSE_PORT_INVALID", `port ${JSON.stringify(spec)}: ${messageOf(error)}`, {
      kind: "invalid-input",
      hint: "write [[IP:]HOST:]CONTAINER[/PROTOCOL], for instance 127.0.0.1:8080:80/tcp",
    });
  }
}

function parse(spec: string): ParsedPort[] {
  const { ip, host, container, protocol } = split(spec);
  if (container === "") throw new Error("no port specified");
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw new Error(`invalid protocol ${protocol}`);
  const hostIp = address(ip);
  const [start, end] = range(container, "container port");
  const published = host === "" ? undefined : range(host, "host port");
  if (published !== undefined && published[1] - published[0] !== end - start && end !== start) {
    throw new Error(`the ranges ${host} and ${container} differ in length`);
  }
  const ports: ParsedPort[] = [];
  for (let port = start; port <= end; port++) {
    const entry: ParsedPort = { mode: "ingress", protocol: protocol.toLowerCase() };
    if (hostIp !== "") entry.host_ip = hostIp;
    if (port !== 0) entry.target = port;
    if (published !== undefined) entry.published = publishedText(published, start === end, port - start);
    ports.push(entry);
  }
  return ports;
}

function publishedText([first, last]: readonly [number, number], single: boolean, offset: number): string {
  return single && first !== last ? `${first}-${last}` : String(first + offset);
}

function split(spec: string): { ip: string; host: string; container: string; protocol: string } {
  const slash = spec.indexOf("/");
  const protocol = slash < 0 || slash === spec.length - 1 ? "tcp" : spec.slice(slash + 1);
  const parts = (slash < 0 ? spec : spec.slice(0, slash)).split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  return { ip: parts.join(":"), host, container, protocol };
}

function address(ip: string): string {
  if (ip === "") return "";
  const bracketed = /^\[(.*)\]$/.exec(ip)?.[1];
  if (bracketed === undefined && ip.includes(":")) {
    throw new Error(`an IPv6 address needs brackets: [${ip}]`);
  }
  const bare = bracketed ?? ip;
  if (isIP(bare) === 0) throw new Error(`${bare} is no IP address`);
  return bare;
}

function range(text: string, what: string): [number, number] {
  const parts = text.split("-");
  const numbers = parts.map((part) => (/^[0-9]{1,5}$/.test(part) ? Number(part) : -1));
  const [first = -1, last = first] = numbers;
  if (parts.length > 2 || first < 0 || last < first || last > 65535) throw new Error(`${text} is no ${what}`);
  return [first, last];
}
