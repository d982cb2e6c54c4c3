/** Published ports: which ones clash, whether the machine still has them, and choosing free ones. Opens nothing for long. */
import { createSocket } from "node:dgram";
import { createServer, isIP } from "node:net";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { ReservedPort } from "../state/endpoints.js";
import type { PortMapping } from "../types.js";

const isWildcard = (ip: string): boolean => ip === "" || ip === "0.0.0.0" || ip === "::";

/** `0.0.0.0:8080/tcp`, docker's way to name a host port. */
export function portText(port: PortMapping): string {
  const ip = port.hostIp === "" ? "0.0.0.0" : port.hostIp.includes(":") ? `[${port.hostIp}]` : port.hostIp;
  return `${ip}:${port.hostPort}/${port.protocol}`;
}

/** `TSC_PORT_TAKEN`; `holder` names one of our containers when it is known. */
export function portTaken(port: PortMapping, holder?: string): TscError {
  return new TscError(
    "TSC_PORT_TAKEN",
    `failed to bind host port ${portText(port)}: address already in use${holder === undefined ? "" : ` by container ${holder}`}`,
    { kind: "conflict", hint: "stop what uses the port, or publish another one" },
  );
}

/** Whether two published ports cannot exist together. */
export function clash(a: PortMapping, b: PortMapping): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort || a.hostPort === 0) return false;
  return isWildcard(a.hostIp) || isWildcard(b.hostIp) || a.hostIp === b.hostIp;
}

const PROTOCOLS: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);

/** Range and form of what the caller gave. `TSC_PORT_INVALID`, `TSC_PORT_UNSUPPORTED`. */
export function checkPort(port: PortMapping, rootless: boolean): void {
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
  if (rootless && (port.protocol === "sctp" || isIP(port.hostIp) === 6)) {
    throw new TscError("TSC_PORT_UNSUPPORTED", `port ${portText(port)} cannot be published rootless`, {
      kind: "unsupported",
      hint: "rootless ports are TCP or UDP on IPv4 addresses",
    });
  }
}

/** Binds and releases; the port that was bound. */
function tryBind(port: PortMapping): Promise<number> {
  const host = port.hostIp === "" ? "0.0.0.0" : port.hostIp;
  return new Promise((resolve, reject) => {
    if (port.protocol === "udp") {
      const socket = createSocket({ type: isIP(host) === 6 ? "udp6" : "udp4" });
      socket.once("error", reject);
      socket.bind({ port: port.hostPort, address: host, exclusive: true }, () => {
        const bound = socket.address().port;
        socket.close(() => resolve(bound));
      });
      return;
    }
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: port.hostPort, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port.hostPort;
      server.close(() => resolve(bound));
    });
  });
}

/**
 * The same port with a number: 0 becomes a free one that `taken` does not hold. `TSC_PORT_TAKEN` when another program
 * has it, `TSC_PORT_PRIVILEGED` when this user may not bind it, `TSC_PORT_ADDRESS` when the machine lacks the address.
 */
export async function claimPort(port: PortMapping, taken: readonly ReservedPort[]): Promise<PortMapping> {
  // Node cannot open SCTP sockets; the database is the only check.
  if (port.protocol === "sctp" && port.hostPort !== 0) return port;
  for (let attempt = 0; attempt < 64; attempt++) {
    let bound: number;
    try {
      bound = await tryBind(port);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EADDRINUSE") throw portTaken(port);
      if (errno === "EACCES") {
        throw new TscError("TSC_PORT_PRIVILEGED", `failed to bind host port ${portText(port)}: permission denied`, {
          kind: "denied",
          hint: `run as root: sysctl net.ipv4.ip_unprivileged_port_start=${port.hostPort} (or publish a port from 1024 up)`,
        });
      }
      if (errno === "EADDRNOTAVAIL") {
        throw new TscError(
          "TSC_PORT_ADDRESS",
          `failed to bind host port ${portText(port)}: the machine has no such address`,
          {
            kind: "invalid-input",
          },
        );
      }
      throw error;
    }
    const claimed = { ...port, hostPort: bound };
    if (port.hostPort !== 0 || !taken.some((other) => clash(claimed, other))) return claimed;
  }
  throw new TscError("TSC_PORT_TAKEN", "no free host port was found", { kind: "unavailable" });
}
