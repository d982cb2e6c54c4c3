/**
 * Compares what running containers need with what the kernel has, and mends the difference: a bridge or link that somebody deleted or
 * took down, flushed rules, a lost pin. Containers keep running and keep their addresses.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { processPath } from "../../kernel/proc.js";
import { messageOf } from "../../lib/errors.js";
import { containerById } from "../state/containers.js";
import { type EndpointRecord, endpointOf, liveEndpoints, saveEndpoint } from "../state/endpoints.js";
import { findNetwork, type NetworkRecord, setNetworkProgress } from "../state/networks.js";
import { bridgeFault, linkFault } from "./link-faults.js";
import { livingProcess } from "./living-process.js";
import { isPinned } from "./namespace-pin.js";
import type { Parts } from "./parts.js";
import type { Networking } from "./types.js";

/** As `NetworksApi` promises it. A container that cannot join again is told, and the others are mended. */
export function createMend(parts: Parts): Networking["mend"] {
  const { ctx, site, dns, firewall, publisher, life } = parts;
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();

  const standing = (): EndpointRecord[] => liveEndpoints(state, bootId).filter(({ cni }) => cni.phase === "up");

  /** The process of a running container. */
  function processOf(containerId: string): number | undefined {
    const row = containerById(state, containerId);
    return row === undefined ? undefined : livingProcess(kernel, row);
  }

  function pinAgain(record: EndpointRecord): void {
    const { netnsPath } = record.cni;
    if (isPinned(netnsPath)) return;
    const pid = processOf(record.containerId);
    if (pid === undefined) return;
    kernel.removeNetworkNamespace(netnsPath);
    mkdirSync(dirname(netnsPath), { recursive: true, mode: 0o700 });
    writeFileSync(netnsPath, "", { mode: 0o600 });
    kernel.mount(processPath(pid, "ns/net"), netnsPath, "", ["bind"]);
    // Its process has ended meanwhile: the pid may have been another's.
    if (processOf(record.containerId) !== pid) kernel.removeNetworkNamespace(netnsPath);
  }

  /** Off and on again with the same addresses; nothing while another command works on the container. */
  async function rejoin({ containerId, network: name }: EndpointRecord, network: NetworkRecord): Promise<void> {
    using lock = await kernel.lockFile(join(ctx.paths.locks, `container-${containerId}`), { wait: false });
    const record = endpointOf(state, containerId, name);
    if (lock === undefined || record?.cni.phase !== "up" || processOf(containerId) === undefined) return;
    await life.remove(record, { whole: true }).catch(() => undefined);
    const added = await life.add(network, record, () => undefined);
    saveEndpoint(state, { ...added, cni: { ...added.cni, phase: "up" } });
  }

  async function mendLinks(): Promise<void> {
    const epoch = site.epoch();
    if (epoch === undefined) return;
    const links = new Map((await kernel.readLinks(site.pin)).map((link) => [link.name, link]));
    const broken = new Map<string, string | undefined>();
    for (const record of standing()) {
      const network = findNetwork(state, record.network);
      if (network === undefined || network.settings.source !== "generated" || network.settings.bridge === "") continue;
      if (!broken.has(network.name)) {
        const fault = bridgeFault(network, links);
        broken.set(network.name, fault);
        // The next to join makes the bridge anew.
        if (fault !== undefined) setNetworkProgress(state, network.name, epoch, "raising");
      }
      const fault = broken.get(network.name) ?? linkFault(record, network.settings.bridge, links);
      if (fault === undefined) continue;
      ctx.warn(`container ${record.cni.containerName} joins network ${network.name} again: ${fault}`);
      await rejoin(record, network).catch((error: unknown) =>
        ctx.warn(
          `container ${record.cni.containerName} cannot join network ${network.name} again: ${messageOf(error)}`,
        ),
      );
    }
  }

  return async function mend(): Promise<void> {
    const live = standing();
    if (live.length === 0) return;
    await site.repair();
    for (const record of live) pinAgain(record);
    await mendLinks();
    await Promise.all([firewall.settled(firewall.changed()), dns.settled(dns.changed()), publisher.repair()]);
  };
}
