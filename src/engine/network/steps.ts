/** The steps that joining and leaving share: claiming ports, adding reserved rows, taking rows off. */
import type { EndpointRecord } from "../state/endpoints.js";
import { liveEndpoints, publishedPorts, saveEndpoint } from "../state/endpoints.js";
import { findNetwork } from "../state/networks.js";
import type { PortMapping } from "../types.js";
import type { Parts } from "./parts.js";
import { checkPort, claimPort, clash } from "./ports.js";
import type { AttachRequest } from "./types.js";

export interface Steps {
  /** Free numbers for `hostPort` 0 and early errors for ports of other programs; our own are judged in `reserve`. */
  claimPorts(request: Pick<AttachRequest, "id" | "ports">, defaultHostIp: string): Promise<PortMapping[]>;
  /** Makes reserved rows real; they are marked up when everything stands. */
  addAll(records: readonly EndpointRecord[]): Promise<EndpointRecord[]>;
  /** Takes rows off; goes on past errors and throws the first at the end. Rows whose DEL failed stay for the next try. */
  removeAll(
    records: readonly EndpointRecord[],
    options: { readonly release: boolean; readonly keepNamespace: boolean },
  ): Promise<void>;
}

export function createSteps({ ctx, site, networks, firewall, dns, life }: Parts): Steps {
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();

  /** Free numbers for `hostPort` 0 and early errors for ports of other programs; our own are judged in `reserve`. */
  async function claimPorts(
    request: Pick<AttachRequest, "id" | "ports">,
    defaultHostIp: string,
  ): Promise<PortMapping[]> {
    const others = publishedPorts(state, bootId).filter((entry) => entry.containerId !== request.id);
    const claimed: PortMapping[] = [];
    for (const wanted of request.ports) {
      const port = wanted.hostIp === "" && defaultHostIp !== "" ? { ...wanted, hostIp: defaultHostIp } : wanted;
      checkPort(port, ctx.rootless);
      const mine = port.hostPort !== 0 && others.some((entry) => clash(entry.port, port));
      claimed.push(mine ? port : await claimPort(port, [...others.map((entry) => entry.port), ...claimed]));
    }
    return claimed;
  }

  /**
   * Adds reserved rows one after the other (interface order). Names and port rules hang on reserved addresses alone, so
   * they are made beside the plugins as soon as every bridge stands.
   */
  async function addAll(records: readonly EndpointRecord[]): Promise<EndpointRecord[]> {
    const ports = records.flatMap((record) => record.cni.ports);
    const named = records.some((record) => record.cni.names.length > 0);
    const name = dns.changed();
    const rule = firewall.changed();
    const settle = (nameChange: number, ruleChange: number): Promise<unknown> =>
      Promise.all([
        named ? dns.settled(nameChange) : undefined,
        ports.length > 0 ? firewall.settled(ruleChange).then(() => site.forward(ports)) : undefined,
      ]);
    let settled: Promise<unknown> | undefined;
    const settleEarly = (): void => {
      if (settled !== undefined) return;
      const standing = records.every((record) => {
        const network = findNetwork(state, record.network);
        return network?.settings.source === "generated" && networks.isUp(network);
      });
      if (!standing) return;
      settled = settle(name, rule);
      // A failure is thrown where it is awaited; without this line it would be unhandled until then.
      settled.catch(() => undefined);
    };
    const added: EndpointRecord[] = [];
    try {
      for (const record of records) {
        settleEarly();
        const network = await networks.resolve(record.network);
        added.push(await life.add(network, record));
      }
    } finally {
      // Undoing must not run beside it.
      await settled?.catch(() => undefined);
    }
    settleEarly();
    // Addresses of a person's own list are known only now.
    await (settled ?? settle(dns.changed(), firewall.changed()));
    return state.transaction(() =>
      added.map((record) => {
        const up: EndpointRecord = { ...record, cni: { ...record.cni, phase: "up" } };
        saveEndpoint(state, up);
        return up;
      }),
    );
  }

  /** Takes rows off; goes on past errors and throws the first at the end. Rows whose DEL failed stay for the next try. */
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
      for (const record of gone) life.settle(record, options.release);
    });
    // The shared namespace goes with its last container, and its rules with it.
    const rulesMatter = !ctx.rootless || liveEndpoints(state, bootId).length > 0;
    const outcomes = await Promise.allSettled([
      gone.some((record) => record.cni.names.length > 0) ? dns.settled(dns.changed()) : undefined,
      rulesMatter && gone.some((record) => record.cni.ports.length > 0)
        ? firewall.settled(firewall.changed())
        : undefined,
    ]);
    for (const outcome of outcomes) if (outcome.status === "rejected") errors.push(outcome.reason);
    if (errors.length > 0) throw errors[0];
  }

  /** Another container may live in this one's namespace, which then outlives the pin. */
  function isShared({ containerId, cni }: EndpointRecord): boolean {
    return (
      state.get(
        `SELECT 1 FROM containers WHERE json_extract(spec, '$.networkMode.kind') = 'container'
         AND json_extract(spec, '$.networkMode.container') IN (?, ?) LIMIT 1`,
        containerId,
        cni.containerName,
      ) !== undefined
    );
  }

  return { claimPorts, addAll, removeAll };
}
