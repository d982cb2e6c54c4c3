/** Decides what a container gets (addresses, interface names, default route, ports) and writes it down before anything is done. Synchronous. */
import { isIP } from "node:net";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import {
  dropOrphanReservations,
  type EndpointRecord,
  endpointOf,
  isLive,
  publishedPorts,
  type ReservedPort,
  saveEndpoint,
} from "../state/endpoints.js";
import { findNetwork, type NetworkRecord } from "../state/networks.js";
import type { NetworkAttachment, PortMapping } from "../types.js";
import { macOf, parseAddress } from "./addresses.js";
import { type Assigned, assign } from "./assign.js";
import { driverNamed } from "./drivers/index.js";
import { endpointRow, type ReserveRequest } from "./endpoint-row.js";
import { checkMac } from "./names.js";
import { networkNotFound } from "./network-bridge.js";
import { clash, portTaken } from "./ports.js";

const MAC_OPTION = "com.docker.network.endpoint.macaddress";

/** Two host addresses may publish one port; inside the shared namespace each needs a port of its own. */
function innerPorts(ports: readonly PortMapping[], published: readonly ReservedPort[]): ReservedPort[] {
  const used = new Set(published.map((port) => `${port.protocol}/${port.innerPort ?? port.hostPort}`));
  return ports.map((port) => {
    // slirp4netns forwards none of IPv6; neighbours ask for the number itself
    if (isIP(port.hostIp) === 6) return { ...port, innerPort: port.hostPort };
    let inner = port.hostPort;
    if (used.has(`${port.protocol}/${inner}`)) {
      inner = 49152;
      while (used.has(`${port.protocol}/${inner}`)) inner++;
    }
    used.add(`${port.protocol}/${inner}`);
    return { ...port, innerPort: inner };
  });
}

/** The MAC address that is asked for, else what the driver makes of the address; "" leaves it to the kernel. `TSC_MAC_ADDRESS`. */
function macFor({ name, settings }: NetworkRecord, attachment: NetworkAttachment, assigned: Assigned): string {
  const driver = driverNamed(settings.driver);
  const wanted = attachment.mac ?? attachment.driverOpts?.[MAC_OPTION] ?? "";
  if (wanted === "") {
    const address = assigned.ipv4 ?? assigned.ipv6;
    return address !== undefined && driver?.mac === "derived" ? macOf(address.address) : "";
  }
  checkMac(wanted);
  if (driver?.mac !== "fixed") return wanted;
  throw new TscError("TSC_MAC_ADDRESS", `MAC address ${wanted}: containers on network ${name} share their parent's`, {
    kind: "unsupported",
    hint: `leave mac_address out, or use another driver than ${driver.name}`,
  });
}

/**
 * One transaction: ports are checked against every other container, addresses chosen, rows written with phase `adding`.
 * `TSC_PORT_TAKEN`, `TSC_ADDRESS_TAKEN`, `TSC_NETWORK_FULL`, `TSC_NETWORK_NOT_FOUND` (removed meanwhile).
 */
export function reserve(ctx: EngineContext, request: ReserveRequest): EndpointRecord[] {
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();
  const owner: ProcessIdentity = kernel.processIdentity(process.pid) ?? { pid: process.pid, startTime: "" };
  for (const server of request.dns) parseAddress(server);
  return state.transaction(() => {
    const published = publishedPorts(state, bootId).filter((entry) => entry.containerId !== request.containerId);
    for (const [index, port] of request.ports.entries()) {
      const holder = published.find((entry) => clash(entry.port, port));
      if (holder !== undefined) throw portTaken(port, `container ${holder.containerName}`);
      if (request.ports.slice(0, index).some((other) => clash(other, port)))
        throw portTaken(port, `container ${request.containerName}`);
    }
    const ports: readonly ReservedPort[] = ctx.rootless
      ? innerPorts(
          request.ports,
          published.map((entry) => entry.port),
        )
      : request.ports;
    return request.planned.map((plan) => {
      const { network, attachment } = plan;
      if (findNetwork(state, network.name)?.id !== network.id) {
        throw networkNotFound(network.name);
      }
      for (const option of Object.keys(attachment.driverOpts ?? {})) {
        if (option !== MAC_OPTION)
          ctx.warn(`network ${network.name}: endpoint option ${printable(option, 100)} is not known and has no effect`);
      }
      const previous = endpointOf(state, request.containerId, network.name);
      if (previous !== undefined && isLive(previous, bootId)) {
        throw new TscError(
          "TSC_NETWORK_ALREADY_CONNECTED",
          `container ${request.containerName} is on network ${network.name} already`,
          {
            kind: "already-exists",
          },
        );
      }
      dropOrphanReservations(state, network.name, bootId);
      const { containerId } = request;
      const assigned: Assigned =
        network.settings.source === "user"
          ? { ipv4: undefined, ipv6: undefined }
          : assign(state, { network, containerId, attachment, previous });
      const record = endpointRow({
        request,
        plan,
        assigned,
        mac: macFor(network, attachment, assigned),
        ports: plan.primary ? ports : [],
        bootId,
        owner,
        rootless: ctx.rootless,
      });
      saveEndpoint(state, record);
      return record;
    });
  });
}
