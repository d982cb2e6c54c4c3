/**
 * The network part's public face: `openNetworking`. Owns the order of work when a container joins and leaves networks;
 * the steps themselves stand in the files beside it. Must not touch mounts or processes but through the kernel port.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { withSuppressed } from "../../lib/suppressed.js";
import type { EngineContext } from "../context.js";
import {
  type EndpointRecord,
  endpointOf,
  endpointsOf,
  isLive,
  liveEndpoints,
  publishedPorts,
  saveEndpoint,
} from "../state/endpoints.js";
import { findNetwork } from "../state/networks.js";
import type { ContainerSpec, NetworkAttachment, NetworkEndpoint, PortMapping } from "../types.js";
import { createDns } from "./dns.js";
import { parseAddress } from "./addresses.js";
import { createFirewall } from "./firewall.js";
import { createEndpointLife, isPinned } from "./endpoint-life.js";
import { checkContainerId } from "./names.js";
import { createNetworkStore, DEFAULT_NETWORK } from "./networks.js";
import { checkPort, claimPort } from "./ports.js";
import { findProgram, helperEnv, installHint, needProgram } from "./programs.js";
import { namespaceSysctls, planAttachments, reserve } from "./reserve.js";
import { resolvConfText } from "./resolv.js";
import { run } from "./run.js";
import { rootlessSite } from "./rootless-site.js";
import { firstHostAddress, hostSite, parseResolvConf, readHostResolvConf } from "./site.js";
import type { AttachRequest, AttachResult, Networking, NetworkingInfo } from "./types.js";

export type { AttachRequest, AttachResult, Networking, NetworkingInfo, ResolvConfRequest } from "./types.js";

/** Opens the network part on an engine's context; starts nothing. */
export function openNetworking(ctx: EngineContext): Networking {
  const { state, kernel, paths } = ctx;
  const bootId = kernel.bootId();
  const site = ctx.rootless ? rootlessSite(ctx) : hostSite(ctx);
  const firewall = createFirewall(ctx, site);
  const networks = createNetworkStore(ctx, site, firewall);
  const dns = createDns(ctx, site);
  const life = createEndpointLife(ctx, site, networks);
  const pinOf = (id: string): string => join(paths.netns, id);

  const toPort = ({ containerPort, hostPort, protocol, hostIp }: PortMapping): PortMapping => ({
    containerPort,
    hostPort,
    protocol,
    hostIp,
  });

  /** Free numbers for `hostPort` 0 and early errors for ports of other programs; our own are judged in `reserve`. */
  async function claimPorts(request: AttachRequest, defaultHostIp: string): Promise<PortMapping[]> {
    const others = publishedPorts(state, bootId).filter((entry) => entry.containerId !== request.id);
    const claimed: PortMapping[] = [];
    for (const wanted of request.ports) {
      const port = wanted.hostIp === "" && defaultHostIp !== "" ? { ...wanted, hostIp: defaultHostIp } : wanted;
      checkPort(port, ctx.rootless);
      const mine = others.some(
        (entry) => entry.port.hostPort === port.hostPort && entry.port.protocol === port.protocol,
      );
      claimed.push(
        mine && port.hostPort !== 0 ? port : await claimPort(port, [...others.map((entry) => entry.port), ...claimed]),
      );
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
        await life.remove(record, { whole: options.keepNamespace || isShared(record.containerId) });
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
    const outcomes = await Promise.allSettled([
      gone.some((record) => record.cni.names.length > 0) ? dns.settled(dns.changed()) : undefined,
      gone.some((record) => record.cni.ports.length > 0) ? firewall.settled(firewall.changed()) : undefined,
    ]);
    for (const outcome of outcomes) if (outcome.status === "rejected") errors.push(outcome.reason);
    if (errors.length > 0) throw errors[0];
  }

  /** Another container may live in this one's namespace, which then outlives the pin. */
  function isShared(containerId: string): boolean {
    return (
      state.get(
        `SELECT 1 FROM containers WHERE json_extract(spec, '$.networkMode.kind') = 'container' AND id <> ? LIMIT 1`,
        containerId,
      ) !== undefined
    );
  }

  async function detach(containerId: string, options: { readonly release?: boolean } = {}): Promise<void> {
    checkContainerId(containerId);
    const release = options.release === true;
    const rows = endpointsOf(state, containerId);
    const live = rows.filter((record) => isLive(record, bootId));
    const errors: unknown[] = [];
    if (live.length > 0) {
      await removeAll(live, { release, keepNamespace: false }).catch((error: unknown) => errors.push(error));
    }
    kernel.removeNetworkNamespace(pinOf(containerId));
    if (release) for (const record of rows) if (!live.includes(record)) life.settle(record, true);
    if (live.length > 0) await site.releaseIfIdle();
    if (errors.length > 0) throw errors[0];
  }

  async function attach(request: AttachRequest): Promise<AttachResult> {
    checkContainerId(request.id);
    checkContainerId(request.name);
    const mode = request.mode ?? { kind: "bridge" };
    if (mode.kind === "host") return { netnsPath: "", endpoints: [], ports: [] };
    if (mode.kind === "container") {
      throw new TscError(
        "TSC_NETWORK_MODE",
        `container ${request.name} shares another one's network and has none to attach`,
        {
          kind: "invalid-input",
        },
      );
    }
    const netnsPath = request.netnsPath ?? pinOf(request.id);
    if (endpointsOf(state, request.id).some((record) => isLive(record, bootId))) await detach(request.id);
    for (const server of request.dns ?? []) parseAddress(server);
    kernel.removeNetworkNamespace(netnsPath);
    if (mode.kind === "none") {
      await kernel.createNetworkNamespace(netnsPath, namespaceSysctls(false, request.sysctls ?? {}));
      return { netnsPath, endpoints: [], ports: [] };
    }
    const wanted = request.attachments.length > 0 ? request.attachments : [{ network: DEFAULT_NETWORK }];
    const joined = [];
    for (const attachment of wanted) joined.push({ attachment, network: await networks.resolve(attachment.network) });
    const planned = planAttachments(joined);
    const primary = planned.find((plan) => plan.primary);
    // Like docker, a container that is only on internal networks publishes nothing.
    const publishes = primary !== undefined && !primary.network.settings.internal;
    const ports =
      publishes && request.ports.length > 0 ? await claimPorts(request, networks.defaultHostIp(primary.network)) : [];
    const sysctls = namespaceSysctls(
      planned.some(({ network }) => network.settings.ipv6 || network.settings.source === "user"),
      request.sysctls ?? {},
    );
    const records = await site.enter(() =>
      reserve(ctx, {
        containerId: request.id,
        containerName: request.name,
        netnsPath,
        dns: request.dns ?? [],
        planned,
        ports,
      }),
    );
    try {
      await kernel.createNetworkNamespace(netnsPath, sysctls);
      const up = await addAll(records);
      const order = [...up].sort((a, b) => Number(b.cni.primary) - Number(a.cni.primary));
      return { netnsPath, endpoints: order.map((record) => record.endpoint), ports: ports.map(toPort) };
    } catch (error) {
      const undo = await detach(request.id).then(
        () => [],
        (failure: unknown) => [failure],
      );
      throw withSuppressed(error, undo);
    }
  }

  /** What `connect` needs to know of a container; also of one that left its last network. */
  function identityOf(containerId: string, live: readonly EndpointRecord[]): Omit<AttachRequest, "attachments"> & { netnsPath: string } {
    const first = live[0];
    if (first !== undefined) {
      const { containerName, netnsPath, dns } = first.cni;
      return { id: containerId, name: containerName, netnsPath, dns, ports: [] };
    }
    const row = state.get<{ name: string; spec: string }>("SELECT name, spec FROM containers WHERE id = ?", containerId);
    const netnsPath = pinOf(containerId);
    if (row === undefined || !isPinned(netnsPath)) {
      throw new TscError("TSC_CONTAINER_NOT_ATTACHED", `container ${containerId.slice(0, 12)} has no network of its own`, {
        kind: "conflict",
        hint: "a running container in bridge mode is needed",
      });
    }
    const spec = JSON.parse(row.spec) as Pick<ContainerSpec, "ports" | "dns">;
    return { id: containerId, name: row.name, netnsPath, dns: spec.dns ?? [], ports: spec.ports ?? [] };
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
      throw new TscError("TSC_INTERFACE_NAME", `container ${identity.name} has an interface ${ifName} already`, { kind: "conflict" });
    }
    const [plan] = planAttachments([{ attachment: { ...attachment, interfaceName: ifName }, network }]);
    if (plan === undefined) throw new Error("no plan for one attachment");
    // A default route that is there stays; only a container without one gets it from the new network.
    const had = (family: 4 | 6): boolean =>
      live.some((record) => !isInternal(record) && (family === 4 ? record.endpoint.ipv4 : record.endpoint.ipv6) !== "");
    const primary = !live.some((record) => record.cni.primary && !isInternal(record));
    const publishes = primary && !network.settings.internal && identity.ports.length > 0;
    const ports = publishes ? await claimPorts({ ...identity, attachments: [] }, networks.defaultHostIp(network)) : [];
    const records = await site.enter(() =>
      reserve(ctx, {
        containerId,
        containerName: identity.name,
        netnsPath: identity.netnsPath,
        dns: identity.dns ?? [],
        planned: [{ ...plan, primary, defaultRoutes: plan.defaultRoutes.filter((family) => !had(family)) }],
        ports,
      }),
    );
    try {
      const [up] = await addAll(records);
      if (up === undefined) throw new Error("no endpoint for one attachment");
      ctx.emit({ type: "network", action: "connect", id: network.id, name: network.name, attributes: { container: containerId } });
      return up.endpoint;
    } catch (error) {
      await removeAll(records, { release: true, keepNamespace: true }).catch((undo: unknown) =>
        ctx.warn(`network ${network.name}: undoing a failed connect failed: ${messageOf(undo)}`),
      );
      throw error;
    }
  }

  const isInternal = (record: EndpointRecord): boolean => findNetwork(state, record.network)?.settings.internal === true;

  /** The default route and the published ports move to the next network when their own is left. */
  async function moveGateway(leaving: EndpointRecord): Promise<void> {
    const heir = endpointsOf(state, leaving.containerId).find(
      (record) => isLive(record, bootId) && record.network !== leaving.network && !isInternal(record),
    );
    if (heir === undefined) return;
    const { ports } = leaving.cni;
    state.transaction(() => {
      saveEndpoint(state, { ...heir, cni: { ...heir.cni, primary: true, ports } });
      saveEndpoint(state, { ...leaving, cni: { ...leaving.cni, primary: false, ports: [] } });
    });
    if (ports.length > 0) await firewall.settled(firewall.changed());
    const enter = kernel.inNetworkNamespace(heir.cni.netnsPath);
    for (const [family, via] of [["-4", heir.endpoint.gateway], ["-6", heir.endpoint.ipv6Gateway]] as const) {
      if (via === "") continue;
      const argv = [...enter, needProgram(ctx.env, "ip"), family, "route", "replace", "default", "via", via, "dev", heir.cni.ifName];
      const result = await run(kernel, argv, { env: helperEnv(ctx.env) });
      if (result.code !== 0) ctx.warn(`network ${heir.network}: no default route: ${printable(result.stderr)}`);
    }
  }

  async function disconnect(containerId: string, name: string): Promise<void> {
    checkContainerId(containerId);
    const network = await networks.resolve(name);
    const before = endpointOf(state, containerId, network.name);
    if (before === undefined || !isLive(before, bootId)) {
      throw new TscError("TSC_NETWORK_NOT_CONNECTED", `container ${containerId.slice(0, 12)} is not on network ${network.name}`, {
        kind: "not-found",
      });
    }
    if (before.cni.primary) await moveGateway(before);
    const record = endpointOf(state, containerId, network.name) ?? before;
    await removeAll([record], { release: true, keepNamespace: true });
    ctx.emit({ type: "network", action: "disconnect", id: network.id, name: network.name, attributes: { container: containerId } });
  }

  async function repair(): Promise<void> {
    const live = liveEndpoints(state, bootId);
    const pins = new Set<string>();
    try {
      for (const name of readdirSync(paths.netns)) pins.add(join(paths.netns, name));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    if (live.length === 0) {
      // Pins of mode `none` containers stay while their container is known.
      for (const path of pins) {
        const id = path.slice(paths.netns.length + 1);
        if (state.get("SELECT 1 FROM containers WHERE id = ?", id) === undefined) kernel.removeNetworkNamespace(path);
      }
      await site.releaseIfIdle();
      return;
    }
    const broken = new Set<string>();
    for (const record of live) {
      const halfDone = record.cni.phase === "adding" && !kernel.isAlive(record.cni.owner);
      const lost = record.cni.phase === "up" && !isPinned(record.cni.netnsPath);
      if (halfDone || lost) broken.add(record.containerId);
    }
    for (const id of broken) {
      await detach(id).catch((error: unknown) =>
        ctx.warn(`network clean-up of container ${id.slice(0, 12)} failed: ${messageOf(error)}`),
      );
    }
    await site.repair();
    await dns.settled(dns.changed());
  }

  function gateways(containerId: string): string[] {
    const served = endpointsOf(state, containerId).filter(
      (record) => isLive(record, bootId) && record.cni.names.length > 0,
    );
    const forwarding = served.filter((record) => !isInternal(record));
    const chosen = forwarding.length > 0 ? forwarding : served;
    const four = chosen.map((record) => record.endpoint.gateway).filter((ip) => ip !== "");
    return four.length > 0 ? four : chosen.map((record) => record.endpoint.ipv6Gateway).filter((ip) => ip !== "");
  }

  return {
    ...networks,
    attach,
    detach,
    connect,
    disconnect,
    repair,
    endpoints: (id) =>
      endpointsOf(state, id)
        .filter((record) => isLive(record, bootId))
        .map((record) => record.endpoint),
    ports: (id) =>
      endpointsOf(state, id)
        .filter((record) => isLive(record, bootId))
        .flatMap((record) => record.cni.ports.map(toPort)),
    resolvConf: (request) => {
      const sharesHost = request.mode?.kind === "host";
      return resolvConfText({
        gateways: request.mode === undefined || request.mode.kind === "bridge" ? gateways(request.id) : [],
        host: parseResolvConf(sharesHost ? readHostResolvConf() : site.hostResolvConf()),
        dns: request.dns ?? [],
        search: request.dnsSearch ?? [],
        options: request.dnsOptions ?? [],
        sharesHost,
      });
    },
    hostGateway: (id) => {
      const outside = site.hostAddress();
      if (outside !== undefined) return outside;
      const own = id === undefined ? [] : endpointsOf(state, id).filter((record) => isLive(record, bootId));
      const any =
        own.find((record) => record.endpoint.gateway !== "") ??
        liveEndpoints(state, bootId).find((record) => record.endpoint.gateway !== "");
      return any?.endpoint.gateway ?? firstHostAddress() ?? "127.0.0.1";
    },
    info: async (): Promise<NetworkingInfo> => {
      const needed = [
        ["aardvark-dns", "names of containers"],
        ["iptables", "publishing ports and isolating networks"],
        ["ip", "removing networks"],
        ...(ctx.rootless ? [["slirp4netns", "the way out of rootless networks"] as const] : []),
      ] as const;
      const components = [];
      const missing = [];
      for (const [name, why] of needed) {
        const path = findProgram(ctx.env, name);
        if (path === undefined) missing.push({ name, why, install: installHint(name) });
        else components.push({ name, path, version: "" });
      }
      return { mode: site.mode, components, missing };
    },
  };
}
