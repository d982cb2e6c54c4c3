/** Creating, listing and removing networks, and the bridge and rules each one has while it is used. */
import { createHash, randomBytes } from "node:crypto";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { LabelFilter, NetworksApi } from "../api.js";
import type { EngineContext } from "../context.js";
import { endpointsOn, isLive } from "../state/endpoints.js";
import {
  clearNetworkProgress,
  deleteNetwork,
  findNetwork,
  forgetNetworkMeta,
  hasForeignBridge,
  insertNetwork,
  isNetworkStanding,
  listNetworks,
  type NetworkRecord,
  type NetworkSettings,
  networkProgress,
  setForeignBridge,
  setNetworkProgress,
} from "../state/networks.js";
import type { NetworkInfo, NetworkSpec, NetworkSubnet } from "../types.js";
import { formatPrefix, type Prefix, parseAddress, parsePrefix } from "./addresses.js";
import { type CniList, parseConflist } from "./cni.js";
import { conflistDirs, generateConflist, readUserConflists } from "./conflist.js";
import type { Firewall } from "./firewall.js";
import { withLock } from "./locks.js";
import { checkInterfaceName, checkNetworkName } from "./names.js";
import { helperEnv, needProgram } from "./programs.js";
import { BRIDGE_PREFIX } from "./rules.js";
import { run } from "./run.js";
import type { Site } from "./site.js";
import { checkFree, completeSubnet, hostRoutes, pickSubnet4, pickSubnet6 } from "./subnets.js";

/** The network containers join when they name none. */
export const DEFAULT_NETWORK = "bridge";

const KNOWN_OPTIONS = new Set([
  "mtu",
  "com.docker.network.driver.mtu",
  "com.docker.network.bridge.name",
  "com.docker.network.bridge.enable_icc",
  "com.docker.network.bridge.enable_ip_masquerade",
  "com.docker.network.bridge.host_binding_ipv4",
  "parent",
  "mode",
  "macvlan_mode",
  "ipvlan_mode",
]);

export interface NetworkStore extends NetworksApi {
  /** The network with this name, id or id prefix; the built-in one and a person's own configurations are taken in on first use. `TSC_NETWORK_NOT_FOUND`. */
  resolve(name: string): Promise<NetworkRecord>;
  /** The bridge is there in this epoch. */
  isStanding(network: NetworkRecord): boolean;
  /**
   * Runs the first ADD of a network alone and then installs its rules; every other ADD just runs. `onStanding` is called
   * between the two: what needs the bridge only may begin.
   */
  bringUp<T>(network: NetworkRecord, add: () => Promise<T>, onStanding?: () => void): Promise<T>;
  /** Takes the built-in network's bridge and rules down when nothing uses it; any other network stays until it is removed. */
  lowerIfIdle(name: string): Promise<void>;
  /** The first subnet-family option of the network that publishes ports bind to by default, or "". */
  defaultHostIp(network: NetworkRecord): string;
}

/** Reads `com.docker.network.driver.mtu` and `mtu`. `TSC_NETWORK_OPTION`. */
function mtuOf(options: Readonly<Record<string, string>>): number {
  const text = options["com.docker.network.driver.mtu"] ?? options["mtu"];
  if (text === undefined) return 0;
  if (!/^\d{2,5}$/.test(text) || Number(text) < 68 || Number(text) > 65535) {
    throw new TscError("TSC_NETWORK_OPTION", `network mtu ${JSON.stringify(text)} is not a number from 68 to 65535`, {
      kind: "invalid-input",
    });
  }
  return Number(text);
}

export function createNetworkStore(ctx: EngineContext, site: Site, firewall: Firewall): NetworkStore {
  const { state, kernel } = ctx;
  const env = helperEnv(ctx.env);
  const bootId = kernel.bootId();
  const isDefaultRoot = ctx.paths.root === "/var/lib/tscompose" || ctx.rootless;
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

  /** Settings a person's own list tells about itself. */
  function userRecord(list: CniList, text: string, spec: NetworkSpec): NetworkRecord {
    const main = list.plugins[0];
    const ipam = main?.["ipam"] as
      | { ranges?: { subnet?: string; gateway?: string }[][]; subnet?: string; gateway?: string }
      | undefined;
    const ranges = ipam?.ranges?.flatMap((range) => range.slice(0, 1)) ?? (ipam?.subnet === undefined ? [] : [ipam]);
    const subnets: NetworkSubnet[] = ranges.flatMap(({ subnet, gateway }) =>
      subnet === undefined ? [] : [{ subnet, ...(gateway === undefined ? {} : { gateway }) }],
    );
    const hasGateway = main?.type === "bridge" && (main["isGateway"] === true || main["isDefaultGateway"] === true);
    return {
      name: list.name,
      id: createHash("sha256").update(list.name).digest("hex"),
      spec,
      settings: {
        driver: main?.type ?? "bridge",
        internal: false,
        ipv6: subnets.some((subnet) => subnet.subnet.includes(":")),
        subnets,
        bridge: typeof main?.["bridge"] === "string" ? main["bridge"] : "",
        dns: spec.disableDns !== true && hasGateway && !list.plugins.some((plugin) => plugin.type === "dnsname"),
        source: "user",
      },
      conflist: text,
      createdAt: new Date().toISOString(),
    };
  }

  function generatedRecord(spec: NetworkSpec): NetworkRecord {
    const options = spec.driverOpts ?? {};
    const driver =
      spec.driver === undefined || spec.driver === "" || spec.driver === "default" ? "bridge" : spec.driver;
    if (!["bridge", "macvlan", "ipvlan"].includes(driver)) {
      throw new TscError(
        "TSC_NETWORK_DRIVER",
        `network ${spec.name}: driver ${JSON.stringify(driver)} is not supported`,
        {
          kind: "unsupported",
          hint:
            driver === "host" || driver === "none"
              ? `use network_mode: ${driver}`
              : "use bridge, macvlan or ipvlan, or write a CNI configuration with the network's name",
        },
      );
    }
    if (driver !== "bridge" && ctx.rootless) {
      throw new TscError(
        "TSC_NETWORK_DRIVER",
        `network ${spec.name}: driver ${driver} needs the machine's interfaces`,
        {
          kind: "unsupported",
          hint: "run as root, or use the bridge driver",
        },
      );
    }
    for (const name of Object.keys(options)) {
      if (!KNOWN_OPTIONS.has(name))
        ctx.warn(`network ${spec.name}: driver option ${printable(name, 100)} is not known and has no effect`);
    }
    if (spec.enableIpv4 === false && spec.enableIpv6 !== true) {
      throw new TscError("TSC_NETWORK_SUBNET_INVALID", `network ${spec.name} has neither IPv4 nor IPv6`, {
        kind: "invalid-input",
      });
    }
    const id = randomBytes(32).toString("hex");
    let bridge = "";
    if (driver === "bridge") {
      bridge = options["com.docker.network.bridge.name"] ?? `${BRIDGE_PREFIX}${id.slice(0, 8)}`;
      checkInterfaceName(bridge);
    }
    const taken: { prefix: Prefix; owner: string }[] = [];
    for (const other of listNetworks(state)) {
      if (other.settings.bridge !== "" && other.settings.bridge === bridge) {
        throw new TscError("TSC_NETWORK_EXISTS", `bridge ${bridge} belongs to network ${other.name}`, {
          kind: "already-exists",
        });
      }
      for (const { subnet } of other.settings.subnets)
        taken.push({ prefix: parsePrefix(subnet), owner: `network ${other.name}` });
    }
    for (const prefix of hostRoutes()) taken.push({ prefix, owner: "a route of this machine" });
    for (const subnet of site.reserved) taken.push({ prefix: parsePrefix(subnet), owner: "the rootless uplink" });
    const given = (spec.subnets ?? []).map(completeSubnet);
    // macvlan shares the parent's subnet on purpose.
    for (const [index, subnet] of given.entries()) {
      const own = given
        .slice(0, index)
        .map((other) => ({ prefix: parsePrefix(other.subnet), owner: `network ${spec.name} itself` }));
      checkFree(subnet, driver === "bridge" ? [...taken, ...own] : own);
    }
    const subnets = [...given];
    const prefixes = [...taken.map((entry) => entry.prefix), ...given.map((subnet) => parsePrefix(subnet.subnet))];
    const has = (family: 4 | 6): boolean => given.some((subnet) => parsePrefix(subnet.subnet).family === family);
    if (spec.enableIpv4 !== false && !has(4)) {
      if (driver !== "bridge") {
        throw new TscError("TSC_NETWORK_SUBNET_INVALID", `network ${spec.name}: driver ${driver} needs a subnet`, {
          kind: "invalid-input",
          hint: "give the parent interface's subnet and gateway in ipam.config",
        });
      }
      subnets.unshift(
        completeSubnet({ subnet: formatPrefix(pickSubnet4(prefixes, isDefaultRoot ? "" : ctx.paths.root)) }),
      );
    }
    if (spec.enableIpv6 === true && !has(6))
      subnets.push(completeSubnet({ subnet: formatPrefix(pickSubnet6(prefixes)) }));
    const settings: NetworkSettings = {
      driver,
      internal: spec.internal === true,
      ipv6: subnets.some((subnet) => subnet.subnet.includes(":")),
      subnets,
      bridge,
      dns: driver === "bridge" && spec.disableDns !== true,
      source: "generated",
    };
    const mtu = mtuOf(options);
    const conflist = generateConflist({
      name: spec.name,
      settings,
      mtu: mtu > 0 ? mtu : driver === "bridge" ? site.mtu : 0,
      parent: options["parent"] ?? "",
      mode: options["macvlan_mode"] ?? options["ipvlan_mode"] ?? options["mode"] ?? "",
    });
    return {
      name: spec.name,
      id,
      spec,
      settings,
      conflist: JSON.stringify(conflist),
      createdAt: new Date().toISOString(),
    };
  }

  async function create(spec: NetworkSpec): Promise<NetworkRecord> {
    checkNetworkName(spec.name);
    for (const server of spec.dns ?? []) parseAddress(server);
    const user = userLists().get(spec.name);
    // The choice of a subnet and its row must be one step: two commands may create networks at the same time.
    const record = state.transaction(() => {
      const made = user === undefined ? generatedRecord(spec) : userRecord(user.list, user.text, spec);
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

  function notFound(name: string): TscError {
    return new TscError("TSC_NETWORK_NOT_FOUND", `network ${printable(name, 200)} not found`, { kind: "not-found" });
  }

  const isStanding = (network: NetworkRecord): boolean => {
    const epoch = site.epoch();
    return epoch !== undefined && isNetworkStanding(state, network.name, epoch);
  };

  const isUp = (network: NetworkRecord): boolean => {
    const epoch = site.epoch();
    if (epoch === undefined || networkProgress(state, network.name, epoch) !== "up") return false;
    return network.settings.bridge === "" || site.hasBridge(network.settings.bridge);
  };

  function applyFirewall(network: NetworkRecord): Promise<void> {
    if (network.settings.ipv6) firewall.touchIpv6();
    return firewall.settled(firewall.changed());
  }

  async function takeDown(network: NetworkRecord): Promise<void> {
    const { settings } = network;
    const epoch = site.epoch();
    const wasUp = epoch !== undefined && networkProgress(state, network.name, epoch) !== "down";
    if (!wasUp || settings.source !== "generated" || settings.bridge === "") {
      clearNetworkProgress(state, network.name);
      return;
    }
    // Killed on the way, the next command takes down what is left.
    setNetworkProgress(state, network.name, epoch, "lowering");
    await applyFirewall(network);
    if (site.hasBridge(settings.bridge) && !hasForeignBridge(state, network.name)) await deleteBridge(network);
    clearNetworkProgress(state, network.name);
  }

  async function deleteBridge({ name, settings }: NetworkRecord): Promise<void> {
    const result = await run(
      kernel,
      [...site.prefix(), needProgram(ctx.env, "ip"), "link", "delete", settings.bridge],
      { env },
    );
    if (result.code !== 0 && !/Cannot find device/.test(result.stderr)) {
      throw new TscError(
        "TSC_NETWORK_REMOVE",
        `bridge ${settings.bridge} of network ${name} cannot be removed: ${printable(result.stderr)}`,
      );
    }
  }

  return {
    create: async (spec) => toInfo(await create(spec)),
    find: async (name) => {
      const record = lookup(name);
      return record === undefined ? undefined : toInfo(record);
    },
    inspect: async (name) => {
      const record = lookup(name);
      if (record === undefined) throw notFound(name);
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
      if (record === undefined) throw notFound(name);
      await withLock(ctx, `net-${record.id}`, async () => {
        const users = endpointsOn(state, record.name).filter((row) => isLive(row, bootId));
        if (users.length > 0) {
          throw new TscError("TSC_NETWORK_IN_USE", `network ${record.name} has active endpoints`, {
            kind: "conflict",
            hint: `stop or disconnect ${users.map((row) => row.cni.containerName).join(", ")}`,
          });
        }
        await takeDown(record);
        state.transaction(() => {
          deleteNetwork(state, record.name);
          forgetNetworkMeta(state, record.name);
          state.run("DELETE FROM endpoints WHERE network = ?", record.name);
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
      throw notFound(name);
    },
    isStanding,
    lowerIfIdle: async (name) => {
      const record = name === DEFAULT_NETWORK ? findNetwork(state, name) : undefined;
      if (record === undefined) return;
      await withLock(ctx, `net-${record.id}`, async () => {
        // Whoever comes next has its row before it looks whether the bridge is there.
        if (!endpointsOn(state, name).some((row) => isLive(row, bootId))) await takeDown(record);
      });
    },
    bringUp: async (network, add, onStanding) => {
      if (isUp(network)) return add();
      let others = false;
      const first = await withLock(ctx, `net-${network.id}`, async () => {
        if (findNetwork(state, network.name)?.id !== network.id) throw notFound(network.name);
        if (isUp(network)) {
          others = true;
          return undefined;
        }
        const { bridge, source } = network.settings;
        if (source === "generated" && !ctx.rootless && !bridge.startsWith(BRIDGE_PREFIX) && site.hasBridge(bridge)) {
          setForeignBridge(state, network.name);
        }
        const result = await add();
        const epoch = site.epoch();
        if (epoch !== undefined) {
          if (network.settings.bridge !== "") site.prepareBridge(network.settings.bridge);
          setNetworkProgress(state, network.name, epoch, "standing");
          onStanding?.();
          if (network.settings.source === "generated" && network.settings.bridge !== "") await applyFirewall(network);
          setNetworkProgress(state, network.name, epoch, "up");
        }
        return { result };
      });
      return others || first === undefined ? add() : first.result;
    },
    defaultHostIp: (network) => network.spec.driverOpts?.["com.docker.network.bridge.host_binding_ipv4"] ?? "",
  };
}

/** The list of a stored network. */
export function conflistOf(network: NetworkRecord): CniList {
  return parseConflist(network.conflist, `of network ${network.name}`);
}
