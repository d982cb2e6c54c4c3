/** The bridge and the rules a network has while it is used: who brings them up, who takes them down, what a killed command left. */
import { messageOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import {
  clearNetworkProgress,
  findNetwork,
  isNetworkStanding,
  type NetworkRecord,
  networkProgress,
  setNetworkProgress,
} from "../state/networks.js";
import { BRIDGE_NAME } from "./drivers/index.js";
import type { Firewall } from "./firewall.js";
import { noteForwarding } from "./forwarding.js";
import { withLock } from "./locks.js";
import type { Site } from "./site.js";

/** How far each network is up, kept in the state database for the epoch: a killed command's half is seen by the next one. */
export interface NetworkBridges {
  /** The bridge is there in this epoch. */
  isStanding(network: NetworkRecord): boolean;
  /**
   * Runs the first ADD of a network alone and then installs its rules; every other ADD just runs. `onStanding` is called
   * between the two: what needs the bridge only may begin. `TSC_INTERFACE_TAKEN` when the bridge would be somebody else's interface.
   */
  bringUp<T>(network: NetworkRecord, add: () => Promise<T>, onStanding?: () => void): Promise<T>;
  /** Removes rules and bridge; the caller holds the network's lock. `TSC_NETWORK_REMOVE`. */
  takeDown(network: NetworkRecord): Promise<void>;
}

/** `TSC_NETWORK_NOT_FOUND` for a name a person gave. */
export function networkNotFound(name: string): TscError {
  return new TscError("TSC_NETWORK_NOT_FOUND", `network ${printable(name, 200)} not found`, { kind: "not-found" });
}

/** `TSC_INTERFACE_TAKEN`: the name of a network's bridge is another interface's. */
export function interfaceTaken(network: string, bridge: string): TscError {
  return new TscError("TSC_INTERFACE_TAKEN", `network ${network}: interface ${bridge} exists and is not tscompose's`, {
    kind: "conflict",
    hint: `choose another ${BRIDGE_NAME}, or remove the interface`,
  });
}

/** The bridges of all networks on one site. */
export function networkBridges(ctx: EngineContext, site: Site, firewall: Firewall): NetworkBridges {
  const { state, kernel } = ctx;
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
    if (!wasUp || !isOurs(network)) {
      clearNetworkProgress(state, network.name);
      if (wasUp && settings.bridge !== "") await applyFirewall(network);
      return;
    }
    // Killed on the way, the next command takes down what is left.
    setNetworkProgress(state, network.name, epoch, "lowering");
    await applyFirewall(network);
    if (site.hasBridge(settings.bridge)) await deleteBridge(network);
    clearNetworkProgress(state, network.name);
  }

  async function deleteBridge({ name, settings }: NetworkRecord): Promise<void> {
    try {
      await kernel.removeLink(site.pin, settings.bridge);
    } catch (cause) {
      // Also gone when another command gave up the namespace it was in.
      if (site.epoch() === undefined) return;
      throw new TscError(
        "TSC_NETWORK_REMOVE",
        `bridge ${settings.bridge} of network ${name} cannot be removed: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  const isOurs = ({ settings }: NetworkRecord): boolean => settings.source === "generated" && settings.bridge !== "";

  /**
   * Notes that the bridge is about to be made. What an ADD that was killed or failed left of it goes first: a bridge whose last port
   * went before it was given a MAC of its own has the address zero (br_stp_recalculate_bridge_id), which the plugin cannot set.
   */
  async function prepare(network: NetworkRecord): Promise<void> {
    const epoch = site.epoch();
    if (epoch === undefined || !isOurs(network)) return;
    const { bridge } = network.settings;
    const progress = networkProgress(state, network.name, epoch);
    if (progress === "down" && network.spec.driverOpts?.[BRIDGE_NAME] !== undefined) {
      const links = await kernel.readLinks(site.pin);
      // Whatever we made, this store knows of: we would filter another's traffic and remove what is not ours.
      if (links.some(({ name }) => name === bridge)) throw interfaceTaken(network.name, bridge);
    }
    if (progress === "raising" && site.hasBridge(bridge)) await deleteBridge(network);
    if (!ctx.rootless) noteForwarding(ctx, network, epoch);
    setNetworkProgress(state, network.name, epoch, "raising");
  }

  const bringUp: NetworkBridges["bringUp"] = async (network, add, onStanding) => {
    if (isUp(network)) return add();
    let others = false;
    const first = await withLock(ctx, network, async () => {
      if (findNetwork(state, network.name)?.id !== network.id) throw networkNotFound(network.name);
      if (isUp(network)) {
        others = true;
        return undefined;
      }
      await prepare(network);
      const result = await add();
      const epoch = site.epoch();
      if (epoch !== undefined) {
        const { bridge, ipv6 } = network.settings;
        if (bridge !== "") site.prepareBridge(bridge, ipv6 || !isOurs(network));
        setNetworkProgress(state, network.name, epoch, "standing");
        onStanding?.();
        // A person's own list may need to be admitted, where the host has a guard.
        if (bridge !== "") await applyFirewall(network);
        setNetworkProgress(state, network.name, epoch, "up");
      }
      return { result };
    });
    return others || first === undefined ? add() : first.result;
  };

  return { isStanding, bringUp, takeDown };
}
