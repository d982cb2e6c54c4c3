/** The parts that attaching and detaching work with; made once by `openNetworking`. */
import { join } from "node:path";
import type { EngineContext } from "../context.js";
import type { EndpointRecord } from "../state/endpoints.js";
import { findNetwork } from "../state/networks.js";
import type { Dns } from "./dns.js";
import type { EndpointLife } from "./endpoint-life.js";
import type { Firewall } from "./firewall.js";
import type { NetworkStore } from "./networks.js";
import type { Publisher } from "./publish.js";
import type { Site } from "./site.js";

/** One of each: all of them work on the same state database and the same site. */
export interface Parts {
  readonly ctx: EngineContext;
  readonly site: Site;
  readonly networks: NetworkStore;
  readonly firewall: Firewall;
  readonly publisher: Publisher;
  readonly dns: Dns;
  readonly life: EndpointLife;
}

/** Where a container's network namespace is pinned. */
export function pinOf(ctx: EngineContext, containerId: string): string {
  return join(ctx.paths.netns, containerId);
}

/** Whether the endpoint's network has no way out. */
export function isInternal(ctx: EngineContext, record: EndpointRecord): boolean {
  return findNetwork(ctx.state, record.network)?.settings.internal === true;
}
