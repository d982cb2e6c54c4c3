/** One endpoint's way through CNI: ADD of a reserved row, DEL of a live one. Owns the order of steps inside one network. */
import { availableParallelism } from "node:os";
import { isTscError, type TscError } from "../../lib/errors.js";
import { createLimiter } from "../../lib/limit.js";
import type { EngineContext } from "../context.js";
import { containerExists } from "../state/container-facts.js";
import { deleteEndpoint, type EndpointRecord, saveEndpoint } from "../state/endpoints.js";
import { findNetwork, type NetworkRecord } from "../state/networks.js";
import type { NetworkEndpoint } from "../types.js";
import { type CniHost, cniAdd, cniDel, parseConflist } from "./cni.js";
import type { CniList, CniResult } from "./cni-types.js";
import { driverNamed } from "./drivers/index.js";
import { withLock } from "./locks.js";
import { isPinned } from "./namespace-pin.js";
import type { NetworkStore } from "./networks.js";
import { helperEnv, pluginDirs } from "./programs.js";
import type { Site } from "./site.js";

/** What happens to single rows on their way in and out. The name service and published ports are no part of it (steps.ts). */
export interface EndpointLife {
  /** `onStanding` is called as soon as the bridge is there, when this is the network's first endpoint. */
  add(network: NetworkRecord, record: EndpointRecord, onStanding: () => void): Promise<EndpointRecord>;
  /**
   * Undoes `add` as far as the namespace's end does not: generated chains need no process unless `whole`
   * (the namespace lives on). Rejects when the plugins fail; the row is the caller's.
   */
  remove(record: EndpointRecord, options: { readonly whole: boolean }): Promise<void>;
  /** The plugins are through with it: the row asks for no names, ports or DEL any more, but stays until those are gone. */
  leave(record: EndpointRecord): void;
  /** Ends the row: its address stays reserved for a known container, else it is deleted. */
  settle(record: EndpointRecord, release: boolean): void;
}

/** Completes an endpoint with what the plugins say: addresses of a person's own list, MAC of all. */
function readResult(endpoint: NetworkEndpoint, result: CniResult, ifName: string): NetworkEndpoint {
  const index = (result.interfaces ?? []).findIndex((entry) => entry.name === ifName && (entry.sandbox ?? "") !== "");
  const mac = result.interfaces?.[index]?.mac ?? endpoint.mac;
  let next: NetworkEndpoint = { ...endpoint, mac };
  for (const ip of result.ips ?? []) {
    if (ip.interface !== undefined && index >= 0 && ip.interface !== index) continue;
    const [address = "", bits = "0"] = ip.address.split("/");
    if (address.includes(":")) {
      if (next.ipv6 === "")
        next = { ...next, ipv6: address, ipv6PrefixLength: Number(bits), ipv6Gateway: ip.gateway ?? "" };
    } else if (next.ipv4 === "") {
      next = { ...next, ipv4: address, ipv4PrefixLength: Number(bits), gateway: ip.gateway ?? "" };
    }
  }
  return next;
}

/** Whether all that ADD made ends with the container's namespace, so that DEL has nothing to do: lists that we generated, by their driver. */
function endsWithNamespace(network: NetworkRecord | undefined): boolean {
  return network?.settings.source === "generated" && driverNamed(network.settings.driver)?.holdsParent === false;
}

/** The row without what DEL, names and rules are made from. */
function without(record: EndpointRecord, phase: "leaving" | "reserved"): EndpointRecord {
  const { conflist: _list, result: _result, args: _args, capabilityArgs: _capabilities, ...cni } = record.cni;
  return { ...record, cni: { ...cni, phase, names: [], ports: [] } };
}

/** The endpoints of one engine: at most two chains a processor run at once, and those that write packet filter rules one at a time. */
export function createEndpointLife(ctx: EngineContext, site: Site, networks: NetworkStore): EndpointLife {
  const dirs = pluginDirs(ctx.env);
  const env = helperEnv(ctx.env);
  // Whoever names plugins of their own wants those to be run.
  const ownPlugins = (ctx.env["CNI_PATH"] ?? "") !== "";
  const plugins = createLimiter(Math.max(2, availableParallelism() * 2));
  const host = (): CniHost => ({
    kernel: ctx.kernel,
    dirs,
    // A caller's XDG_RUNTIME_DIR would make plugins put files where DEL does not look for them.
    env: { ...env, XDG_RUNTIME_DIR: "", XTABLES_LOCKFILE: `${ctx.paths.network}/xtables.lock` },
    prefix: site.prefix(),
    ...(ownPlugins ? {} : { direct: site.pin }),
  });
  const needsFirewall = (list: CniList): boolean =>
    list.plugins.some((plugin) => plugin.type === "portmap" || plugin.type === "firewall");
  // Plugins that write packet filter rules do not run beside each other nor beside our own rules.
  const guarded = <T>(list: CniList, work: () => Promise<T>): Promise<T> =>
    needsFirewall(list) ? withLock(ctx, "firewall", () => plugins(work)) : plugins(work);
  const attachmentOf = (record: EndpointRecord) => ({
    containerId: record.containerId,
    netns: isPinned(record.cni.netnsPath) ? record.cni.netnsPath : "",
    ifName: record.cni.ifName,
    args: record.cni.args ?? "",
    capabilityArgs: record.cni.capabilityArgs ?? {},
  });

  return {
    add: async (network, record, onStanding) => {
      const list = parseConflist(record.cni.conflist ?? "", `of network ${record.network}`);
      const attachment = attachmentOf(record);
      const result = await networks.bringUp(
        network,
        () => guarded(list, () => cniAdd(host(), list, attachment)),
        onStanding,
      );
      // Plugins of a person's choice may be older than the key (it came with 1.6).
      const port = result.interfaces?.find(
        ({ name, sandbox = "" }) => sandbox === "" && name !== network.settings.bridge,
      );
      if (ownPlugins && list.plugins[0]?.["portIsolation"] === true && port !== undefined)
        await ctx.kernel.isolatePort(site.pin, port.name);
      const added: EndpointRecord = {
        ...record,
        endpoint: readResult(record.endpoint, result, record.cni.ifName),
        cni: { ...record.cni, result },
      };
      // Of our own lists DEL needs no result; the row is saved once it is up.
      if (!endsWithNamespace(network)) saveEndpoint(ctx.state, added);
      return added;
    },
    remove: async (record, { whole }) => {
      if (record.cni.conflist === undefined) return;
      const list = parseConflist(record.cni.conflist, `of network ${record.network}`);
      if (endsWithNamespace(findNetwork(ctx.state, record.network)) && !whole) return;
      // DEL takes what ADD gave; a row that never got a result has at most half of it.
      const result = record.cni.result as CniResult | undefined;
      try {
        await guarded(list, () => cniDel(host(), list, attachmentOf(record), result));
      } catch (error) {
        if (!isTscError(error, "TSC_MISSING_PROGRAM")) throw error;
        ctx.warn(
          `network ${record.network}: ${(error as TscError).message}; its DEL for ${record.cni.containerName} was left out`,
        );
      }
    },
    leave: (record) => saveEndpoint(ctx.state, without(record, "leaving")),
    settle: (record, release) => {
      if (release || !containerExists(ctx.state, record.containerId)) {
        deleteEndpoint(ctx.state, record.containerId, record.network);
        return;
      }
      saveEndpoint(ctx.state, without(record, "reserved"));
    },
  };
}
