/** The steps that joining and leaving share: claiming ports, adding reserved rows, taking rows off. */

import { throwEvery } from "../../lib/teardown.js";
import { isNetworkShared } from "../state/container-facts.js";
import type { EndpointRecord } from "../state/endpoints.js";
import { liveEndpoints, publishedPorts, saveEndpoint } from "../state/endpoints.js";
import { findNetwork, type NetworkRecord } from "../state/networks.js";
import type { PortMapping } from "../types.js";
import { formatAddress, parseAddress } from "./addresses.js";
import { driverNamed } from "./drivers/index.js";
import type { Parts } from "./parts.js";
import { checkPort, claimPort, clash, hostSides } from "./ports.js";
import type { AttachRequest } from "./types.js";

/** Each is for all rows of one container at once; their phases tell the next command how far a killed one came. */
export interface Steps {
  /**
   * Free numbers for `hostPort` 0 and early errors for ports of other programs; our own are judged in `reserve`. None, with a warning, where the
   * network's driver takes none.
   */
  claimPorts(request: Pick<AttachRequest, "id" | "name" | "ports">, network: NetworkRecord): Promise<PortMapping[]>;
  /** Makes reserved rows real; they are marked up, and `report` is called, in one transaction when everything stands. */
  addAll(
    records: readonly EndpointRecord[],
    report?: (up: readonly EndpointRecord[]) => void,
  ): Promise<EndpointRecord[]>;
  /** Takes rows off; goes on past errors and throws them at the end. Rows whose DEL failed stay for the next try. */
  removeAll(
    records: readonly EndpointRecord[],
    options: { readonly release: boolean; readonly keepNamespace: boolean },
  ): Promise<void>;
}

/** Whether ports can be published there: by our rules, or by whatever plugins a person's own list has. */
function takesPorts({ settings }: NetworkRecord): boolean {
  return settings.source === "user" || driverNamed(settings.driver)?.takesPorts === true;
}

/** The steps over one engine's parts; names, rules and ports are made beside the plugins where they hang on reserved addresses alone. */
export function createSteps({ ctx, site, networks, firewall, publisher, dns, life }: Parts): Steps {
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();

  async function claimPorts(
    request: Pick<AttachRequest, "id" | "name" | "ports">,
    network: NetworkRecord,
  ): Promise<PortMapping[]> {
    if (request.ports.length > 0 && !takesPorts(network)) {
      ctx.warn(
        `container ${request.name}: its ports are not published: on network ${network.name} (${network.settings.driver}) it has an address of its own`,
      );
      return [];
    }
    const defaultHostIp = networks.defaultHostIp(network);
    const ipv6 = publisher.canServeIpv6(network);
    const others = publishedPorts(state, bootId).filter((entry) => entry.containerId !== request.id);
    const claimed: PortMapping[] = [];
    for (const wanted of request.ports) {
      const given = wanted.hostIp === "" && defaultHostIp !== "" ? { ...wanted, hostIp: defaultHostIp } : wanted;
      checkPort(given, { rootless: ctx.rootless, ipv6 });
      // As the packet filter prints it, so that the rule is known again.
      const port = given.hostIp === "" ? given : { ...given, hostIp: formatAddress(parseAddress(given.hostIp)) };
      const sides = hostSides(port, ipv6);
      const mine = port.hostPort !== 0 && others.some((entry) => clash(entry.port, port));
      const taken = port.hostPort === 0 ? [...others.map((entry) => entry.port), ...claimed] : [];
      claimed.push(...(mine ? sides : await claimPort(sides, taken)));
    }
    return claimed;
  }

  /** Change of the name service at which a network's bridge came to be; an update before it left the network out. */
  const standingSince = new Map<string, number>();

  /**
   * Adds reserved rows one after the other (interface order). Names and port rules hang on reserved addresses alone, so
   * they are made beside the plugins as soon as every bridge stands.
   */
  async function addAll(
    records: readonly EndpointRecord[],
    report?: (up: readonly EndpointRecord[]) => void,
  ): Promise<EndpointRecord[]> {
    const ports = records.flatMap((record) => record.cni.ports);
    const named = records.some((record) => record.cni.names.length > 0);
    const isStanding = ({ network: name }: EndpointRecord): boolean => {
      const network = findNetwork(state, name);
      return network?.settings.source === "generated" && networks.isStanding(network);
    };
    const missing = records.filter((record) => !isStanding(record));
    const reserved = dns.changed();
    const reservedRule = firewall.changed();
    let settled: Promise<unknown> | undefined;
    const settle = (name: number, rule: number): void => {
      settled = Promise.all([
        named ? dns.settled(name) : undefined,
        ports.length > 0 ? firewall.settled(rule).then(() => publisher.open(ports)) : undefined,
      ]);
      // A failure is thrown where it is awaited; without this line it would be unhandled until then.
      settled.catch(() => undefined);
    };
    const settleEarly = (): void => {
      if (settled !== undefined || !records.every(isStanding)) return;
      const since = missing.map(({ network }) => standingSince.get(network) ?? 0);
      // Whoever brings a network up here writes its rules after its bridge; another command's update may have missed us.
      if (since.every((change) => change > reserved)) settle(Math.max(reserved, ...since), reservedRule);
      else settle(dns.changed(), firewall.changed());
    };
    const added: EndpointRecord[] = [];
    try {
      for (const record of records) {
        settleEarly();
        const network = await networks.resolve(record.network);
        const onStanding = (): void => {
          standingSince.set(record.network, dns.changed());
          settleEarly();
        };
        added.push(await life.add(network, record, onStanding));
      }
      settleEarly();
      // Addresses of a person's own list are known only now.
      if (settled === undefined) settle(dns.changed(), firewall.changed());
    } finally {
      // Undoing must not run beside it.
      await Promise.allSettled([settled]);
    }
    await settled;
    const up = added.map((record): EndpointRecord => ({ ...record, cni: { ...record.cni, phase: "up" } }));
    state.transaction(() => {
      for (const record of up) saveEndpoint(state, record);
      report?.(up);
    });
    return up;
  }

  async function removeAll(
    records: readonly EndpointRecord[],
    options: { readonly release: boolean; readonly keepNamespace: boolean },
  ): Promise<void> {
    const errors: unknown[] = [];
    const gone: EndpointRecord[] = [];
    for (const record of [...records].reverse()) {
      try {
        await site.unforward(record.cni.ports);
      } catch (error) {
        errors.push(error);
      }
      try {
        await life.remove(record, { whole: options.keepNamespace || isShared(record) });
        gone.push(record);
      } catch (error) {
        errors.push(error);
      }
    }
    if (!options.keepNamespace) {
      for (const path of new Set(records.map((record) => record.cni.netnsPath))) kernel.removeNetworkNamespace(path);
    }
    state.transaction(() => {
      for (const record of gone) life.leave(record);
    });
    // The shared namespace goes with its last container, and its rules with it.
    const rulesMatter = !ctx.rootless || liveEndpoints(state, bootId).some(({ cni }) => cni.phase !== "leaving");
    // A command was killed between these lines: nobody knows what names and rules still say.
    const isUnknown = gone.some((record) => record.cni.phase === "leaving");
    const outcomes = await Promise.allSettled([
      isUnknown || gone.some((record) => record.cni.names.length > 0) ? dns.settled(dns.changed()) : undefined,
      rulesMatter && (isUnknown || gone.some((record) => record.cni.ports.length > 0))
        ? firewall.settled(firewall.changed())
        : undefined,
      isUnknown || gone.some((record) => record.cni.ports.length > 0) ? publisher.settle() : undefined,
    ]);
    for (const outcome of outcomes) if (outcome.status === "rejected") errors.push(outcome.reason);
    state.transaction(() => {
      for (const record of gone) life.settle(record, options.release);
    });
    throwEvery(errors);
  }

  /** Another container may live in this one's namespace, which then outlives the pin. */
  function isShared({ containerId, cni }: EndpointRecord): boolean {
    return isNetworkShared(state, containerId, cni.containerName);
  }

  return { claimPorts, addAll, removeAll };
}
