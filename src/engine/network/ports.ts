/** Published ports: which ones clash, whether the machine still has them, and choosing free ones. Opens nothing for long. */
import { createSocket } from "node:dgram";
import { createServer, isIP } from "node:net";
import { holderOf, waitingSockets } from "../../kernel/sockets.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { systemError } from "../../lib/system-error.js";
import type { ReservedPort } from "../state/endpoints.js";
import type { PortMapping } from "../types.js";

const isWildcard = (ip: string): boolean => ip === "" || ip === "0.0.0.0" || ip === "::";
const familyOf = (ip: string): number => (ip === "" ? 0 : isIP(ip));

/** `10.0.0.2:80/tcp`, `[::1]:80/tcp`. */
export function endText(ip: string, port: number, protocol: string): string {
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}/${protocol}`;
}

/** `0.0.0.0:8080/tcp`, docker's way to name a host port. */
export function portText({ hostIp, hostPort, protocol }: PortMapping): string {
  return endText(hostIp || "0.0.0.0", hostPort, protocol);
}

/** Who waits on a port of this machine, as far as this user may see it. */
function holderOfPort({ protocol, hostPort }: PortMapping): string | undefined {
  if (protocol === "sctp") return undefined;
  for (const { port, inode } of waitingSockets("self", protocol)) {
    const holder = port === hostPort ? holderOf(inode) : undefined;
    if (holder !== undefined) return `${printable(holder.program)} (pid ${holder.pid})`;
  }
  return undefined;
}

/** `TSC_PORT_TAKEN`; `holder` names one of our containers, or another program, when it is known. */
export function portTaken(port: PortMapping, holder?: string): TscError {
  return new TscError(
    "TSC_PORT_TAKEN",
    `failed to bind host port ${portText(port)}: address already in use${holder === undefined ? "" : ` by ${holder}`}`,
    { kind: "conflict", hint: "stop what uses the port, or publish another one" },
  );
}

/** Whether two published ports cannot exist together. */
export function clash(a: PortMapping, b: PortMapping): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort || a.hostPort === 0) return false;
  // Only a port without an address is on both families.
  if (familyOf(a.hostIp) + familyOf(b.hostIp) === 10) return false;
  return isWildcard(a.hostIp) || isWildcard(b.hostIp) || a.hostIp === b.hostIp;
}

/** What docker opens for a port: one without an address stands on all of both families. */
export function hostSides(port: PortMapping, ipv6: boolean): readonly PortMapping[] {
  if (port.hostIp !== "" || !ipv6 || port.protocol === "sctp") return [port];
  return ["0.0.0.0", "::"].map((hostIp) => ({ ...port, hostIp }));
}

const PROTOCOLS: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);

/** Range and form of what the caller gave; `ipv6`: addresses of that family can be served. `TSC_PORT_INVALID`, `TSC_PORT_UNSUPPORTED`. */
export function checkPort(port: PortMapping, { rootless, ipv6 }: { rootless: boolean; ipv6: boolean }): void {
  const inRange = (n: number, least: number): boolean => Number.isInteger(n) && n >= least && n <= 65535;
  if (!inRange(port.containerPort, 1) || !inRange(port.hostPort, 0)) {
    throw new TscError(
      "TSC_PORT_INVALID",
      `port ${port.hostPort}:${port.containerPort}/${port.protocol} is out of range`,
      {
        kind: "invalid-input",
      },
    );
  }
  if (!PROTOCOLS.has(port.protocol)) {
    throw new TscError("TSC_PORT_INVALID", `port protocol ${JSON.stringify(port.protocol)} is not known`, {
      kind: "invalid-input",
      hint: "use tcp, udp or sctp",
    });
  }
  if (port.hostIp !== "" && (isIP(port.hostIp) === 0 || port.hostIp.includes("%"))) {
    throw new TscError("TSC_PORT_INVALID", `host address ${JSON.stringify(port.hostIp)} is not an IP address`, {
      kind: "invalid-input",
    });
  }
  if (rootless && (port.protocol === "sctp" || (isIP(port.hostIp) === 6 && !ipv6))) {
    throw new TscError("TSC_PORT_UNSUPPORTED", `port ${portText(port)} cannot be published rootless`, {
      kind: "unsupported",
      hint: ipv6
        ? "rootless ports are TCP or UDP"
        : "without tsc-portd, rootless ports are TCP or UDP on IPv4 addresses",
    });
  }
}

/** Binds and releases; the port that was bound. */
function tryBind(port: PortMapping): Promise<number> {
  const host = port.hostIp === "" ? "0.0.0.0" : port.hostIp;
  return new Promise((resolve, reject) => {
    if (port.protocol === "udp") {
      const socket = isIP(host) === 6 ? createSocket({ type: "udp6", ipv6Only: true }) : createSocket("udp4");
      socket.once("error", reject);
      socket.bind({ port: port.hostPort, address: host, exclusive: true }, () => {
        const bound = socket.address().port;
        socket.close(() => resolve(bound));
      });
      return;
    }
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: port.hostPort, exclusive: true, ipv6Only: isIP(host) === 6 }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port.hostPort;
      server.close(() => resolve(bound));
    });
  });
}

const NO_ADDRESS: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);

/**
 * What an errno of bind(2) and its like means for a published port: `TSC_PORT_TAKEN` when another program has it, `TSC_PORT_PRIVILEGED` when
 * this user may not bind it, `TSC_PORT_ADDRESS` when the machine lacks the address, the machine's own failures (`TSC_TOO_MANY_FILES` …) by
 * their codes, and `TSC_PORT_FAILED` for the rest.
 */
export function bindError(port: PortMapping, errno: string): TscError {
  if (errno === "EADDRINUSE") return portTaken(port, holderOfPort(port));
  const what = `failed to bind host port ${portText(port)}`;
  if (errno === "EACCES" || errno === "EPERM") {
    return new TscError("TSC_PORT_PRIVILEGED", `${what}: permission denied`, {
      kind: "denied",
      hint: `run as root: sysctl net.ipv4.ip_unprivileged_port_start=${port.hostPort} (or publish a port from 1024 up)`,
    });
  }
  if (NO_ADDRESS.has(errno)) {
    return new TscError("TSC_PORT_ADDRESS", `${what}: the machine has no such address`, { kind: "invalid-input" });
  }
  const machine = systemError(Object.assign(new Error(what), { code: errno === "ENOBUFS" ? "ENOMEM" : errno }));
  if (machine?.code === "TSC_TOO_MANY_FILES") {
    return new TscError(machine.code, machine.message, {
      kind: machine.kind,
      hint: "raise the hard limit of open files (`ulimit -Hn`) and start the containers anew, or publish fewer ports",
    });
  }
  return machine ?? new TscError("TSC_PORT_FAILED", `${what}: ${errno}`, { kind: "unavailable" });
}

/**
 * The sides of one published port with a number: 0 becomes one that is free on all of them and that `taken` does not hold. Errors are
 * those of `bindError`.
 */
export async function claimPort(
  sides: readonly PortMapping[],
  taken: readonly ReservedPort[],
): Promise<readonly PortMapping[]> {
  const [first] = sides;
  // Node cannot open SCTP sockets; the database is the only check.
  if (first === undefined || (first.protocol === "sctp" && first.hostPort !== 0)) return sides;
  for (let attempt = 0; attempt < 64; attempt++) {
    let hostPort = first.hostPort;
    const claimed: PortMapping[] = [];
    let current = first;
    try {
      for (const side of sides) {
        current = { ...side, hostPort };
        hostPort = await tryBind(current);
        claimed.push({ ...side, hostPort });
      }
    } catch (error) {
      const errno = errnoOf(error) ?? "";
      // a number that is free on one side only
      if (first.hostPort === 0 && claimed.length > 0 && errno === "EADDRINUSE") continue;
      throw errno === "" ? error : bindError(current, errno);
    }
    if (first.hostPort !== 0 || !taken.some((other) => claimed.some((port) => clash(port, other)))) return claimed;
  }
  throw new TscError("TSC_PORT_TAKEN", "no free host port was found", { kind: "unavailable" });
}
