/** Follows a published port from the host to the program that answers, and reads each hop from the kernel. Changes nothing. */
import type { NetworkLink, ProcessIdentity } from "../../kernel/kernel.js";
import { setting } from "../../kernel/proc.js";
import { holderOf, type NamedProcess, programName, type WaitingSocket, waitingSockets } from "../../kernel/sockets.js";
import { TscError } from "../../lib/errors.js";
import { containerById } from "../state/containers.js";
import { type EndpointRecord, endpointsOf, isLive, type ReservedPort } from "../state/endpoints.js";
import { findNetwork } from "../state/networks.js";
import { rulePort } from "./firewall.js";
import { runningForwarder } from "./forwarder-record.js";
import type { Parts } from "./parts.js";
import { portText } from "./ports.js";
import { targetOf, usesForwarder } from "./publish.js";
import { chainsOf } from "./rules.js";
import {
  bridgeHop,
  containerHop,
  endText,
  forwarderHop,
  type HolderOf,
  hostHop,
  linkHop,
  ruleHops,
} from "./trace-hops.js";
import type { PortTrace, TraceHop, TraceRequest } from "./trace-types.js";
import { uplinkProcess } from "./uplink.js";

/** `TSC_CONTAINER_NOT_FOUND`, `TSC_PORT_NOT_PUBLISHED`, and what reading rules may throw: `TSC_FIREWALL_FAILED`, `TSC_MISSING_PROGRAM`. */
export type Trace = (containerId: string, request: TraceRequest) => Promise<readonly PortTrace[]>;

/** Of a container that does not run, or has the host's network, the trace is one hop; what publishes nothing is an error. */
export function createTrace({ ctx, site, firewall }: Pick<Parts, "ctx" | "site" | "firewall">): Trace {
  const { state, kernel } = ctx;
  const chains = chainsOf(ctx.paths.runRoot);

  const named = (process: ProcessIdentity | undefined): NamedProcess | undefined =>
    process === undefined ? undefined : { pid: process.pid, program: programName(process.pid) };
  const holder: HolderOf = ({ inode }) => holderOf(inode);
  const sockets = (pid: number | "self", protocol: string): readonly WaitingSocket[] =>
    protocol === "sctp" ? [] : waitingSockets(pid, protocol === "udp" ? "udp" : "tcp");

  /** Hops between the outside and the bridge. */
  async function outerHops(port: ReservedPort, record: EndpointRecord, bridge: string): Promise<readonly TraceHop[]> {
    const target = targetOf(port.hostIp, record.endpoint);
    const to = endText(target, port.containerPort, port.protocol);
    const family = target.includes(":") ? 6 : 4;
    const byRules = rulePort(port, family, target, site.uplinkInterface);
    const waiting = sockets("self", port.protocol);
    const rules = async (): Promise<readonly TraceHop[]> => {
      if (byRules === undefined) return [];
      const isForwarding =
        ctx.rootless || setting(family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding") === "1";
      return ruleHops(await firewall.counted(family), chains, byRules, bridge, isForwarding);
    };
    if (!ctx.rootless && byRules !== undefined) return await rules();
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

  async function traceOne(pid: number, record: EndpointRecord, port: ReservedPort): Promise<PortTrace> {
    const { containerName } = record.cni;
    const { hostIp, hostPort, containerPort, protocol } = port;
    const network = findNetwork(state, record.network);
    const bridge = network?.settings.bridge ?? "";
    const links = new Map<string, NetworkLink>((await kernel.readLinks(site.pin)).map((link) => [link.name, link]));
    const end = { ip: targetOf(hostIp, record.endpoint), port: containerPort, protocol };
    const hops = [
      ...(await outerHops(port, record, bridge)),
      ...(network === undefined || bridge === "" ? [] : [bridgeHop(network, links), linkHop(record, bridge, links)]),
      ...(protocol === "sctp" ? [] : [containerHop(end, sockets(pid, protocol), holder)]),
    ];
    return { container: containerName, protocol, hostIp: hostIp || "0.0.0.0", hostPort, containerPort, hops };
  }

  return async function trace(containerId, { containerPort, protocol }) {
    const row = containerById(state, containerId);
    if (row === undefined)
      throw new TscError("TSC_CONTAINER_NOT_FOUND", `no such container: ${containerId}`, { kind: "not-found" });
    const alone = (hop: TraceHop, hostPort = 0): PortTrace => ({
      container: row.name,
      protocol,
      hostIp: "",
      hostPort,
      containerPort,
      hops: [hop],
    });
    const isRunning = row.state === "running" || row.state === "paused";
    if (!isRunning || !kernel.isAlive({ pid: row.pid, startTime: row.pidStart })) {
      const detail =
        row.state === "exited"
          ? `exited with code ${row.exitCode}: nothing is published`
          : `${row.state}: nothing is published`;
      return [
        alone({
          kind: "container",
          name: row.name,
          state: "failed",
          detail,
          advice: "see `tscompose logs`, then `tscompose up -d`",
        }),
      ];
    }
    const mode = row.spec.networkMode;
    if (mode?.kind === "host") {
      const hop = containerHop({ ip: "", port: containerPort, protocol }, sockets(row.pid, protocol), holder);
      return [alone(hop, containerPort)];
    }
    const owner = mode?.kind === "container" ? mode.container : containerId;
    const live = endpointsOf(state, owner).filter((record) => isLive(record, kernel.bootId()));
    const found = live.flatMap((record) =>
      record.cni.ports.flatMap((port) =>
        port.containerPort === containerPort && port.protocol === protocol ? [{ record, port }] : [],
      ),
    );
    if (found.length === 0) {
      const published = live.flatMap(({ cni }) =>
        cni.ports.map((port) => `${portText(port)} to ${port.containerPort}`),
      );
      throw new TscError(
        "TSC_PORT_NOT_PUBLISHED",
        `no port ${containerPort}/${protocol} for container ${row.name}: ${published.join(", ") || "it publishes none"}`,
        { kind: "not-found" },
      );
    }
    return await Promise.all(found.map(({ record, port }) => traceOne(row.pid, record, port)));
  };
}
