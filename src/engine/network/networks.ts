/** Creating, listing, finding and removing networks. */
import { TscError } from "../../lib/errors.js";
import type { LabelFilter, NetworksApi } from "../api.js";
import type { EngineContext } from "../context.js";
import { deleteEndpointsOn, endpointsOn, isLive } from "../state/endpoints.js";
import {
  deleteNetwork,
  findNetwork,
  forgetNetworkMeta,
  insertNetwork,
  listNetworks,
  type NetworkRecord,
} from "../state/networks.js";
import type { NetworkInfo, NetworkSpec } from "../types.js";
import { parseAddress } from "./addresses.js";
import { parseConflist } from "./cni.js";
import type { CniList } from "./cni-types.js";
import { conflistDirs, readUserConflists } from "./conflist.js";
import { DEFAULT_DRIVER, hostBinding } from "./drivers/index.js";
import type { Firewall } from "./firewall.js";
import { withLock } from "./locks.js";
import { checkNetworkName } from "./names.js";
import { type NetworkBridges, networkBridges, networkNotFound } from "./network-bridge.js";
import { generatedRecord, userRecord } from "./network-record.js";
import type { Site } from "./site.js";

/** The network containers join when they name none: docker's has its driver's name. */
export const DEFAULT_NETWORK = DEFAULT_DRIVER.name;

/** The engine's networks as commands see them, and what attaching needs of them besides. */
export interface NetworkStore
  extends Omit<NetworksApi, "mend" | "trace">,
    Pick<NetworkBridges, "isStanding" | "bringUp"> {
  /** The network with this name, id or id prefix; the built-in one and a person's own configurations are taken in on first use. `TSC_NETWORK_NOT_FOUND`. */
  resolve(name: string): Promise<NetworkRecord>;
  /** Takes the built-in network's bridge and rules down when nothing uses it; any other network stays until it is removed. */
  lowerIfIdle(name: string): Promise<void>;
  /** The host address that ports without one are published on, by the network's options, or "". */
  defaultHostIp(network: NetworkRecord): string;
}

/** The networks of one engine; a person's CNI lists are read from their folders anew each time. */
export function createNetworkStore(ctx: EngineContext, site: Site, firewall: Firewall): NetworkStore {
  const { state } = ctx;
  const bootId = ctx.kernel.bootId();
  const userLists = (): ReturnType<typeof readUserConflists> =>
    readUserConflists(conflistDirs(ctx.rootless, ctx.env), ctx.warn);

  function toInfo(record: NetworkRecord): NetworkInfo {
    const { settings } = record;
    const containers = endpointsOn(state, record.name).filter((row) => isLive(row, bootId) && row.cni.phase === "up");
    return {
      id: record.id,
      name: record.name,
      driver: settings.driver,
      labels: record.spec.labels ?? {},
      internal: settings.internal,
      ipv6: settings.ipv6,
      subnets: settings.subnets,
      bridge: settings.bridge,
      createdAt: record.createdAt,
      options: record.spec.driverOpts ?? {},
      containers: Object.fromEntries(containers.map((row) => [row.containerId, row.endpoint])),
    };
  }

  async function create(spec: NetworkSpec): Promise<NetworkRecord> {
    checkNetworkName(spec.name);
    for (const server of spec.dns ?? []) parseAddress(server);
    const user = userLists().get(spec.name);
    // The choice of a subnet and its row must be one step: two commands may create networks at the same time.
    const record = state.transaction(() => {
      const made = user === undefined ? generatedRecord(ctx, site, spec) : userRecord(user.list, user.text, spec);
      return insertNetwork(state, made) ? made : undefined;
    });
    if (record === undefined) {
      throw new TscError("TSC_NETWORK_EXISTS", `network ${spec.name} exists already`, { kind: "already-exists" });
    }
    ctx.emit({
      type: "network",
      action: "create",
      id: record.id,
      name: record.name,
      attributes: { type: record.settings.driver },
    });
    return record;
  }

  function lookup(name: string): NetworkRecord | undefined {
    const record = findNetwork(state, name);
    if (record !== undefined) return record;
    const user = /^[A-Za-z0-9]/.test(name) ? userLists().get(name) : undefined;
    return user === undefined ? undefined : userRecord(user.list, user.text, { name });
  }

  const bridges = networkBridges(ctx, site, firewall);

  return {
    create: async (spec) => toInfo(await create(spec)),
    find: async (name) => {
      const record = lookup(name);
      return record === undefined ? undefined : toInfo(record);
    },
    inspect: async (name) => {
      const record = lookup(name);
      if (record === undefined) throw networkNotFound(name);
      return toInfo(record);
    },
    list: async (filter?: LabelFilter) =>
      listNetworks(state)
        .filter(({ spec }) =>
          Object.entries(filter?.labels ?? {}).every(([key, value]) => {
            const has = spec.labels?.[key];
            return has !== undefined && (value === undefined || has === value);
          }),
        )
        .map(toInfo),
    remove: async (name) => {
      const record = findNetwork(state, name);
      if (record === undefined) throw networkNotFound(name);
      await withLock(ctx, record, async () => {
        const users = endpointsOn(state, record.name).filter((row) => isLive(row, bootId));
        if (users.length > 0) {
          throw new TscError("TSC_NETWORK_IN_USE", `network ${record.name} has active endpoints`, {
            kind: "conflict",
            hint: `stop or disconnect ${users.map((row) => row.cni.containerName).join(", ")}`,
          });
        }
        await bridges.takeDown(record);
        state.transaction(() => {
          deleteNetwork(state, record.name);
          forgetNetworkMeta(state, record.name);
          deleteEndpointsOn(state, record.name);
        });
      });
      ctx.emit({
        type: "network",
        action: "destroy",
        id: record.id,
        name: record.name,
        attributes: { type: record.settings.driver },
      });
    },
    resolve: async (name) => {
      const record = findNetwork(state, name);
      if (record !== undefined) return record;
      if (name === DEFAULT_NETWORK || userLists().has(name)) {
        try {
          return await create({ name });
        } catch (error) {
          const other = findNetwork(state, name);
          if (other !== undefined) return other;
          throw error;
        }
      }
      throw networkNotFound(name);
    },
    isStanding: bridges.isStanding,
    bringUp: bridges.bringUp,
    lowerIfIdle: async (name) => {
      const record = name === DEFAULT_NETWORK ? findNetwork(state, name) : undefined;
      if (record === undefined) return;
      await withLock(ctx, record, async () => {
        // Whoever comes next has its row before it looks whether the bridge is there.
        if (!endpointsOn(state, name).some((row) => isLive(row, bootId))) await bridges.takeDown(record);
      });
    },
    defaultHostIp: (network) => hostBinding(network.spec.driverOpts ?? {}),
  };
}

/** The list of a stored network. */
export function conflistOf(network: NetworkRecord): CniList {
  return parseConflist(network.conflist, `of network ${network.name}`);
}
