/** Networks of a running container change: one more, one less, and who gives the way out. */
import { messageOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { containerIdentity } from "../state/container-facts.js";
import { type EndpointRecord, endpointOf, endpointsOf, isLive, saveEndpoint } from "../state/endpoints.js";
import type { ContainerSpec, NetworkAttachment, NetworkEndpoint } from "../types.js";
import { checkContainerId } from "./names.js";
import { isPinned } from "./namespace-pin.js";
import { isInternal, type Parts, pinOf } from "./parts.js";
import { planAttachments } from "./plan-attachments.js";
import { helperEnv, needProgram } from "./programs.js";
import { reserve } from "./reserve.js";
import { run } from "./run.js";
import type { Steps } from "./steps.js";
import type { AttachRequest, Networking } from "./types.js";

/** As `Networking` promises it. A connect that fails is undone; published ports move on with the way out. */
export function createLiveChange(parts: Parts, steps: Steps): Pick<Networking, "connect" | "disconnect"> {
  const { ctx, site, networks, firewall, publisher } = parts;
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();

  /** What `connect` needs to know of a container; also of one that left its last network. */
  function identityOf(
    containerId: string,
    live: readonly EndpointRecord[],
  ): Omit<AttachRequest, "attachments"> & { netnsPath: string } {
    const row = containerIdentity<Pick<ContainerSpec, "ports" | "dns" | "hostname">>(state, containerId);
    const spec = row?.spec ?? {};
    const hostname = spec.hostname ?? "";
    const first = live[0];
    if (first !== undefined) {
      const { containerName, netnsPath, dns } = first.cni;
      return { id: containerId, name: containerName, hostname, netnsPath, dns, ports: [] };
    }
    const netnsPath = pinOf(ctx, containerId);
    if (row === undefined || !isPinned(netnsPath)) {
      throw new TscError(
        "TSC_CONTAINER_NOT_ATTACHED",
        `container ${containerId.slice(0, 12)} has no network of its own`,
        {
          kind: "conflict",
          hint: "a running container in bridge mode is needed",
        },
      );
    }
    return { id: containerId, name: row.name, hostname, netnsPath, dns: spec.dns ?? [], ports: spec.ports ?? [] };
  }

  async function connect(containerId: string, attachment: NetworkAttachment): Promise<NetworkEndpoint> {
    checkContainerId(containerId);
    const live = endpointsOf(state, containerId).filter((record) => isLive(record, bootId));
    const identity = identityOf(containerId, live);
    const network = await networks.resolve(attachment.network);
    const used = new Set(live.map((record) => record.cni.ifName));
    let ifName = attachment.interfaceName ?? "";
    for (let n = 0; ifName === ""; n++) if (!used.has(`eth${n}`)) ifName = `eth${n}`;
    if (used.has(ifName)) {
      throw new TscError("TSC_INTERFACE_NAME", `container ${identity.name} has an interface ${ifName} already`, {
        kind: "conflict",
      });
    }
    const [plan] = planAttachments([{ attachment: { ...attachment, interfaceName: ifName }, network }]);
    if (plan === undefined) throw new Error("no plan for one attachment");
    // A default route that is there stays; only a container without one gets it from the new network.
    const had = (family: 4 | 6): boolean =>
      live.some(
        (record) => !isInternal(ctx, record) && (family === 4 ? record.endpoint.ipv4 : record.endpoint.ipv6) !== "",
      );
    const primary = !live.some((record) => record.cni.primary && !isInternal(ctx, record));
    const publishes = primary && !network.settings.internal && identity.ports.length > 0;
    const ports = publishes ? await steps.claimPorts(identity, network) : [];
    const records = await site.enter(() =>
      reserve(ctx, {
        containerId,
        containerName: identity.name,
        hostname: identity.hostname ?? "",
        netnsPath: identity.netnsPath,
        dns: identity.dns ?? [],
        planned: [{ ...plan, primary, defaultRoutes: plan.defaultRoutes.filter((family) => !had(family)) }],
        ports,
      }),
    );
    try {
      const [up] = await steps.addAll(records);
      if (up === undefined) throw new Error("no endpoint for one attachment");
      ctx.emit({
        type: "network",
        action: "connect",
        id: network.id,
        name: network.name,
        attributes: { container: containerId },
      });
      return up.endpoint;
    } catch (error) {
      await steps
        .removeAll(records, { release: true, keepNamespace: true })
        .catch((undo: unknown) =>
          ctx.warn(`network ${network.name}: undoing a failed connect failed: ${messageOf(undo)}`),
        );
      throw error;
    }
  }

  /** The default route and the published ports move to the next network when their own is left. */
  async function moveGateway(leaving: EndpointRecord): Promise<void> {
    const heir = endpointsOf(state, leaving.containerId).find(
      (record) => isLive(record, bootId) && record.network !== leaving.network && !isInternal(ctx, record),
    );
    if (heir === undefined) return;
    const { ports } = leaving.cni;
    state.transaction(() => {
      saveEndpoint(state, { ...heir, cni: { ...heir.cni, primary: true, ports } });
      saveEndpoint(state, { ...leaving, cni: { ...leaving.cni, primary: false, ports: [] } });
    });
    if (ports.length > 0) await Promise.all([firewall.settled(firewall.changed()), publisher.settle()]);
    const enter = kernel.inNetworkNamespace(heir.cni.netnsPath);
    for (const [family, via] of [
      ["-4", heir.endpoint.gateway],
      ["-6", heir.endpoint.ipv6Gateway],
    ] as const) {
      if (via === "") continue;
      const argv = [
        ...enter,
        needProgram(ctx.env, "ip"),
        family,
        "route",
        "replace",
        "default",
        "via",
        via,
        "dev",
        heir.cni.ifName,
      ];
      const result = await run(kernel, argv, { env: helperEnv(ctx.env) });
      if (result.code !== 0) ctx.warn(`network ${heir.network}: no default route: ${printable(result.stderr)}`);
    }
  }

  async function disconnect(containerId: string, name: string): Promise<void> {
    checkContainerId(containerId);
    const network = await networks.resolve(name);
    const before = endpointOf(state, containerId, network.name);
    if (before === undefined || !isLive(before, bootId)) {
      throw new TscError(
        "TSC_NETWORK_NOT_CONNECTED",
        `container ${containerId.slice(0, 12)} is not on network ${network.name}`,
        {
          kind: "not-found",
        },
      );
    }
    if (before.cni.primary) await moveGateway(before);
    const record = endpointOf(state, containerId, network.name) ?? before;
    await steps.removeAll([record], { release: true, keepNamespace: true });
    ctx.emit({
      type: "network",
      action: "disconnect",
      id: network.id,
      name: network.name,
      attributes: { container: containerId },
    });
  }

  return { connect, disconnect };
}
