/**
 * The network part's public face: `openNetworking` puts the parts together. Networks are CNI configuration lists; what
 * holds for a whole network (bridge, rules, name server) is made once, so that a container costs one plugin run.
 */
import type { EngineContext } from "../context.js";
import { endpointsOf, isLive, liveEndpoints } from "../state/endpoints.js";
import { createAttach, toPort } from "./attach.js";
import { createDns } from "./dns.js";
import { createEndpointLife } from "./endpoint-life.js";
import { createFirewall } from "./firewall.js";
import { networkingInfo } from "./info.js";
import { createLiveChange } from "./live-change.js";
import { createMend } from "./mend.js";
import { createNetworkStore } from "./networks.js";
import { isInternal, type Parts } from "./parts.js";
import { createPublisher } from "./publish.js";
import { createRepair } from "./repair.js";
import { resolvConfText } from "./resolv.js";
import { rootlessSite } from "./rootless-site.js";
import { firstHostAddress, hostSite, parseResolvConf, readHostResolvConf } from "./site.js";
import { createSteps } from "./steps.js";
import type { Networking } from "./types.js";

/** Opens the network part on an engine's context; starts nothing. */
export function openNetworking(ctx: EngineContext): Networking {
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();
  const site = ctx.rootless ? rootlessSite(ctx) : hostSite(ctx);
  const firewall = createFirewall(ctx, site);
  const networks = createNetworkStore(ctx, site, firewall);
  const parts: Parts = {
    ctx,
    site,
    networks,
    firewall,
    publisher: createPublisher(ctx, site),
    dns: createDns(ctx, site),
    life: createEndpointLife(ctx, site, networks),
  };
  const steps = createSteps(parts);
  const { attach, beginAttach, detach } = createAttach(parts, steps);

  function gateways(containerId: string): string[] {
    const served = endpointsOf(state, containerId).filter(
      (record) => isLive(record, bootId) && record.cni.names.length > 0,
    );
    const forwarding = served.filter((record) => !isInternal(ctx, record));
    const chosen = forwarding.length > 0 ? forwarding : served;
    const four = chosen.map((record) => record.endpoint.gateway).filter((ip) => ip !== "");
    return four.length > 0 ? four : chosen.map((record) => record.endpoint.ipv6Gateway).filter((ip) => ip !== "");
  }

  return {
    create: networks.create,
    remove: networks.remove,
    find: networks.find,
    inspect: networks.inspect,
    list: networks.list,
    attach,
    beginAttach,
    detach,
    ...createLiveChange(parts, steps),
    repair: createRepair(parts, detach),
    mend: createMend(parts),
    trace: async (id, request) => (await import("./trace.js")).tracePort(parts, id, request),
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
    info: () => networkingInfo(ctx, site.mode),
  };
}
