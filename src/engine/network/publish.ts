/**
 * Keeps the forwarder's ports equal to what live containers publish: for an ordinary user every port, for root those that packet filter
 * rules cannot serve (IPv6 towards containers without it, and `::1`, which cannot be translated; as docker's userland proxy does).
 */
import { isIP } from "node:net";
import { machineFile } from "../../kernel/proc.js";
import type { EngineContext } from "../context.js";
import { type EndpointRecord, liveEndpoints, type ReservedPort } from "../state/endpoints.js";
import { findNetwork, type NetworkRecord } from "../state/networks.js";
import type { NetworkEndpoint } from "../types.js";
import { type Coalescer, createCoalescer } from "./coalesce.js";
import { createForwarder, type Failure, type Forwarding, hasForwarder } from "./forwarder.js";
import { forwarderEpoch, hasClosedPorts, noteClosedPorts, runningForwarder } from "./forwarder-record.js";
import { withLock } from "./locks.js";
import { keptFamilies, noteKept } from "./origin-rules.js";
import { bindError } from "./ports.js";
import type { Site } from "./site.js";

/** The host's side of published ports, as far as packet filter rules are not enough. */
export interface Publisher {
  /** Whether a port of this network can be open on IPv6 addresses of the host. */
  canServeIpv6(network: NetworkRecord): boolean;
  /** Opens what was reserved. `TSC_PORT_TAKEN`, `TSC_PORT_PRIVILEGED`, `TSC_PORT_ADDRESS`, `TSC_FORWARDER_FAILED`. */
  open(ports: readonly ReservedPort[]): Promise<void>;
  /** Makes what is open equal to the database: after rows were left, or an endpoint took over another's ports. */
  settle(): Promise<void>;
  /** Opens everything again when the process is gone or some are not open, and tells what cannot be; ends a process that a killed command left to nobody. */
  repair(): Promise<void>;
}

/** Whether ports that packet filter rules cannot carry go through tsc-portd: not where it is missing, or a user asked for slirp4netns. */
export function usesForwarder(ctx: Pick<EngineContext, "paths" | "kernel" | "env" | "rootless">): boolean {
  return hasForwarder(ctx) && !(ctx.rootless && ctx.env["TSCOMPOSE_PORT_FORWARDER"] === "slirp4netns");
}

/** Whether the host speaks IPv6 at all. */
const hostHasIpv6 = (): boolean => machineFile("net/if_inet6") !== undefined;

/** Where a port leads: the host address's family where the container has it, else the other; "" when it has none. */
export function targetOf(hostIp: string, { ipv4, ipv6 }: Pick<NetworkEndpoint, "ipv4" | "ipv6">): string {
  return isIP(hostIp) === 6 ? ipv6 || ipv4 : ipv4 || ipv6;
}

/** What the forwarder should have open for one endpoint. Pure. */
function forwardingsOf(record: EndpointRecord, rootless: boolean): Forwarding[] {
  const { endpoint, cni, containerId } = record;
  return cni.ports.flatMap(({ protocol, hostIp, hostPort, containerPort }) => {
    const target = targetOf(hostIp, endpoint);
    if (protocol === "sctp" || target === "") return [];
    // IPv4 to IPv4 is the packet filter's work.
    if (!rootless && isIP(hostIp) !== 6 && endpoint.ipv4 !== "") return [];
    const address = hostIp === "" ? "0.0.0.0" : hostIp;
    return [{ protocol, hostIp: address, hostPort, target, targetPort: containerPort, owner: containerId }];
  });
}

const isOf = (port: ReservedPort, { protocol, hostIp, hostPort }: Failure): boolean =>
  port.protocol === protocol && (port.hostIp || "0.0.0.0") === hostIp && port.hostPort === hostPort;

/** The publisher of one engine. Updates run one at a time, each for the ports of all containers. */
export function createPublisher(ctx: EngineContext, site: Site): Publisher {
  const isUsed = usesForwarder(ctx);
  const forwarder = createForwarder(ctx, site.pin);
  let failures: readonly Failure[] = [];

  /** Networks whose ports are ours: a person's own list publishes by its plugins, which a user's namespace keeps from the host. */
  const isOurs = (network: NetworkRecord | undefined): boolean =>
    network !== undefined &&
    (ctx.rootless || (network.settings.source === "generated" && network.settings.bridge !== ""));

  async function update(): Promise<void> {
    await withLock(ctx, "ports", async () => {
      const epoch = site.epoch();
      const records = epoch === undefined ? [] : liveEndpoints(ctx.state, ctx.kernel.bootId());
      const wanted = records
        .filter((record) => record.cni.ports.length > 0 && isOurs(findNetwork(ctx.state, record.network)))
        .flatMap((record) => forwardingsOf(record, ctx.rootless));
      const ruled = keptFamilies(ctx, epoch);
      const answer = await forwarder.open(wanted, epoch ?? "", ruled);
      failures = answer.failures;
      if (wanted.length > 0) noteClosedPorts(ctx, failures.length > 0);
      if (ctx.rootless && wanted.length > 0)
        noteKept(
          ctx,
          answer.keeps.filter((family) => ruled.includes(family)),
        );
    });
  }
  const coalescer: Coalescer = createCoalescer(update);
  const settle = (): Promise<void> => (isUsed ? coalescer.settled(coalescer.changed()) : Promise.resolve());

  return {
    canServeIpv6: (network) => isUsed && hostHasIpv6() && isOurs(network),
    open: async (ports) => {
      if (ports.length === 0) return;
      // Root's ports of IPv4 alone need no process.
      if (ctx.rootless && !isUsed) return site.forward(ports);
      await settle();
      for (const failure of failures) {
        const mine = ports.find((port) => isOf(port, failure));
        if (mine !== undefined) throw bindError(mine, failure.errno);
      }
    },
    settle,
    repair: async () => {
      const known = forwarderEpoch(ctx);
      if (known === undefined) return;
      const live = liveEndpoints(ctx.state, ctx.kernel.bootId());
      const isWhole = known === site.epoch() && runningForwarder(ctx) !== undefined && !hasClosedPorts(ctx);
      if (live.length > 0 && isWhole) return;
      await settle();
      for (const failure of failures) {
        for (const { cni } of live) {
          const port = cni.ports.find((one) => isOf(one, failure));
          if (port !== undefined) ctx.warn(`container ${cni.containerName}: ${bindError(port, failure.errno).message}`);
        }
      }
    },
  };
}
