/** Follows a published port from the host to the program that answers, and reads each hop from the kernel. Changes nothing. */
import type { NetworkLink, ProcessIdentity } from "../../kernel/kernel.js";
import { setting } from "../../kernel/proc.js";
import { holderOf, type NamedProcess, programName, type WaitingSocket, waitingSockets } from "../../kernel/sockets.js";
import { TscError } from "../../lib/errors.js";
import { type ContainerRow, containerById } from "../state/containers.js";
import { type EndpointRecord, endpointsOf, isLive, type ReservedPort } from "../state/endpoints.js";
import { findNetwork } from "../state/networks.js";
import { rulePort } from "./firewall.js";
import { runningForwarder } from "./forwarder-record.js";
import { livingProcess } from "./living-process.js";
import type { Parts } from "./parts.js";
import { endText, portText } from "./ports.js";
import { targetOf, usesForwarder } from "./publish.js";
import { chainsOf } from "./rules.js";
import { bridgeHop, containerHop, forwarderHop, type HolderOf, hostHop, linkHop, ruleHops } from "./trace-hops.js";
import type { PortTrace, TraceHop, TraceRequest } from "./trace-types.js";
import { uplinkProcess } from "./uplink.js";

type TraceParts = Pick<Parts, "ctx" | "site" | "firewall">;

const named = (process: ProcessIdentity | undefined): NamedProcess | undefined =>
  process === undefined ? undefined : { pid: process.pid, program: programName(process.pid) };
const holder: HolderOf = ({ inode }) => holderOf(inode);
const sockets = (pid: number | "self", protocol: string): readonly WaitingSocket[] =>
  protocol === "sctp" ? [] : waitingSockets(pid, protocol === "udp" ? "udp" : "tcp");

/**
 * Follows a container's published port for each address of the host. `TSC_CONTAINER_NOT_FOUND`, `TSC_PORT_NOT_PUBLISHED`, and what reading
 * rules may throw: `TSC_FIREWALL_FAILED`, `TSC_MISSING_PROGRAM`.
 */
export async function tracePort(
  parts: TraceParts,
  containerId: string,
  request: TraceRequest,
): Promise<readonly PortTrace[]> {
  const { containerPort, protocol } = request;
  const { state, kernel } = parts.ctx;
  const row = containerById(state, containerId);
  if (row === undefined)
    throw new TscError("TSC_CONTAINER_NOT_FOUND", `no such container: ${containerId}`, { kind: "not-found" });
  const pid = livingProcess(kernel, row);
  if (pid === undefined) return [{ container: row.name, ...request, hostIp: "", hostPort: 0, hops: [stoppedHop(row)] }];
  const mode = row.spec.networkMode;
  if (mode?.kind === "host") {
    const hop = containerHop({ ip: "", port: containerPort, protocol }, sockets(pid, protocol), holder);
    return [{ container: row.name, ...request, hostIp: "", hostPort: containerPort, hops: [hop] }];
  }
  const owner = mode?.kind === "container" ? mode.container : containerId;
  const live = endpointsOf(state, owner).filter((record) => isLive(record, kernel.bootId()));
  const published = live.flatMap((record) => record.cni.ports.map((port) => ({ record, port })));
  const found = published.filter(({ port }) => port.containerPort === containerPort && port.protocol === protocol);
  if (found.length > 0) {
    const links = new Map((await kernel.readLinks(parts.site.pin)).map((link) => [link.name, link]));
    return await Promise.all(found.map(({ record, port }) => traceOne(parts, { pid, links, record, port })));
  }
  const others = published.map(({ port }) => `${portText(port)} to ${port.containerPort}`).join(", ");
  throw new TscError(
    "TSC_PORT_NOT_PUBLISHED",
    `no port ${containerPort}/${protocol} for container ${row.name}: ${others || "it publishes none"}`,
    { kind: "not-found" },
  );
}

function stoppedHop({ name, state, exitCode }: Pick<ContainerRow, "name" | "state" | "exitCode">): TraceHop {
  const what = state === "exited" ? `exited with code ${exitCode}` : state;
  const advice = "see `tscompose logs`, then `tscompose up -d`";
  return { kind: "container", name, state: "failed", detail: `${what}: nothing is published`, advice };
}

/** One address of the host, and what was read once for all of them. */
interface TracedSide {
  /** The container's process. */
  readonly pid: number;
  readonly links: ReadonlyMap<string, NetworkLink>;
  readonly record: EndpointRecord;
  readonly port: ReservedPort;
}

async function traceOne(parts: TraceParts, { pid, links, record, port }: TracedSide): Promise<PortTrace> {
  const { containerName } = record.cni;
  const { hostIp, hostPort, containerPort, protocol } = port;
  const network = findNetwork(parts.ctx.state, record.network);
  const bridge = network?.settings.bridge ?? "";
  const end = { ip: targetOf(hostIp, record.endpoint), port: containerPort, protocol };
  const hops = [
    ...(await outerHops(parts, port, record, bridge)),
    ...(network === undefined || bridge === "" ? [] : [bridgeHop(network, links), linkHop(record, bridge, links)]),
    ...(protocol === "sctp" ? [] : [containerHop(end, sockets(pid, protocol), holder)]),
  ];
  return { container: containerName, protocol, hostIp: hostIp || "0.0.0.0", hostPort, containerPort, hops };
}

/** Hops between the outside and the bridge. */
async function outerHops(
  { ctx, site, firewall }: TraceParts,
  port: ReservedPort,
  record: EndpointRecord,
  bridge: string,
): Promise<readonly TraceHop[]> {
  const target = targetOf(port.hostIp, record.endpoint);
  const to = endText(target, port.containerPort, port.protocol);
  const family = target.includes(":") ? 6 : 4;
  const byRules = rulePort(port, family, target, site.uplinkInterface);
  const rules = async (): Promise<readonly TraceHop[]> => {
    if (byRules === undefined) return [];
    const isForwarding =
      ctx.rootless || setting(family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding") === "1";
    return ruleHops(await firewall.counted(family), chainsOf(ctx.paths.runRoot), byRules, bridge, isForwarding);
  };
  if (!ctx.rootless && byRules !== undefined) return await rules();
  const waiting = sockets("self", port.protocol);
  if (usesForwarder(ctx)) {
    const forwarder = named(runningForwarder(ctx));
    return [hostHop(port, waiting, holder, forwarder), forwarderHop(forwarder, "tsc-portd", to)];
  }
  const uplink = uplinkProcess(ctx, site.pin).running();
  const process = named(uplink);
  return [
    hostHop(port, waiting, holder, process),
    forwarderHop(process, uplink?.kind ?? "slirp4netns", "its namespace"),
    ...(await rules()),
  ];
}
