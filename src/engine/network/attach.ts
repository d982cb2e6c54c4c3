/** A container joins its networks before it starts and leaves them after it ended: all or nothing. */

import { settingAt } from "../../kernel/proc.js";
import { errnoOf, messageOf, TscError } from "../../lib/errors.js";
import { withSuppressed } from "../../lib/suppressed.js";
import { tearDown } from "../../lib/teardown.js";
import { type EndpointRecord, endpointsOf, isLive } from "../state/endpoints.js";
import { findNetwork } from "../state/networks.js";
import type { PortMapping } from "../types.js";
import { checkContainerId } from "./names.js";
import { namespaceSysctls } from "./namespace-sysctls.js";
import { DEFAULT_NETWORK } from "./networks.js";
import { type Parts, pinOf } from "./parts.js";
import { planAttachments } from "./plan-attachments.js";
import { reserve } from "./reserve.js";
import type { Steps } from "./steps.js";
import type { Attachment, AttachRequest, AttachResult, Networking } from "./types.js";

/** A published port without what only we need. */
export function toPort({ containerPort, hostPort, protocol, hostIp }: PortMapping): PortMapping {
  return { containerPort, hostPort, protocol, hostIp };
}

/** An attach that has nothing left to do. */
const attached = (result: AttachResult): Attachment => ({ reserved: result, joined: Promise.resolve(result) });

/** As `Networking` promises it. Rows are written before anything is done: by them the next command undoes what a killed one began. */
export function createAttach(parts: Parts, steps: Steps): Pick<Networking, "attach" | "beginAttach" | "detach"> {
  const { ctx, site, networks, life } = parts;
  const { state, kernel } = ctx;
  const bootId = kernel.bootId();

  async function makeNamespace(path: string, sysctls: Readonly<Record<string, string>>): Promise<void> {
    try {
      await kernel.createNetworkNamespace(path, sysctls);
    } catch (error) {
      const file = typeof error === "object" && error !== null && "path" in error ? String(error.path) : "";
      const name = settingAt(file);
      if (name === undefined) throw error;
      throw new TscError("TSC_SYSCTL", `sysctl ${name} cannot be set: ${errnoOf(error) ?? messageOf(error)}`, {
        kind: "invalid-input",
        hint: "check its name and value; it must belong to the network namespace",
        cause: error,
      });
    }
  }

  function report(action: "connect" | "disconnect", containerId: string, networksOf: readonly string[]): void {
    for (const name of networksOf) {
      const network = findNetwork(state, name);
      if (network === undefined) continue;
      const attributes = { container: containerId, name, type: network.settings.driver };
      ctx.emit({ type: "network", action, id: network.id, name, attributes });
    }
  }

  async function detach(containerId: string, options: { readonly release?: boolean } = {}): Promise<void> {
    checkContainerId(containerId);
    const release = options.release === true;
    const rows = endpointsOf(state, containerId);
    const live = rows.filter((record) => isLive(record, bootId));
    const left = live.map((record) => record.network);
    await tearDown([
      () => (live.length > 0 ? steps.removeAll(live, { release: false, keepNamespace: false }) : undefined),
      () => kernel.removeNetworkNamespace(pinOf(ctx, containerId)),
      // Also of rows that are settled: the command that settled them may have been killed right after.
      ...rows.map(
        ({ network }) =>
          () =>
            networks.lowerIfIdle(network),
      ),
      () => site.releaseIfIdle(),
      // Last: by its rows the next command knows what a killed one may not have come to.
      () => (release ? forgetSettled(containerId) : undefined),
      () => (live.length > 0 ? report("disconnect", containerId, left) : undefined),
    ]);
  }

  /** Takes the rows away that hold nothing any more. */
  function forgetSettled(containerId: string): void {
    const kept = endpointsOf(state, containerId).filter((record) => !isLive(record, bootId));
    state.transaction(() => {
      for (const record of kept) life.settle(record, true);
    });
  }

  async function beginAttach(request: AttachRequest): Promise<Attachment> {
    checkContainerId(request.id);
    checkContainerId(request.name);
    const mode = request.mode ?? { kind: "bridge" };
    if (mode.kind === "host") return attached({ netnsPath: "", endpoints: [], ports: [] });
    if (mode.kind === "container") {
      throw new TscError(
        "TSC_NETWORK_MODE",
        `container ${request.name} shares another one's network and has none to attach`,
        {
          kind: "invalid-input",
        },
      );
    }
    const netnsPath = request.netnsPath ?? pinOf(ctx, request.id);
    if (endpointsOf(state, request.id).some((record) => isLive(record, bootId))) await detach(request.id);
    kernel.removeNetworkNamespace(netnsPath);
    if (mode.kind === "none") {
      await makeNamespace(netnsPath, namespaceSysctls(false, request.sysctls ?? {}));
      return attached({ netnsPath, endpoints: [], ports: [] });
    }
    const wanted = request.attachments.length > 0 ? request.attachments : [{ network: DEFAULT_NETWORK }];
    const found = [];
    for (const attachment of wanted) found.push({ attachment, network: await networks.resolve(attachment.network) });
    const planned = planAttachments(found);
    const primary = planned.find((plan) => plan.primary);
    // Like docker, a container that is only on internal networks publishes nothing.
    const publishes = primary !== undefined && !primary.network.settings.internal;
    const ports = publishes && request.ports.length > 0 ? await steps.claimPorts(request, primary.network) : [];
    const sysctls = namespaceSysctls(
      planned.some(({ network }) => network.settings.ipv6 || network.settings.source === "user"),
      request.sysctls ?? {},
    );
    const records = await site.enter(() =>
      reserve(ctx, {
        containerId: request.id,
        containerName: request.name,
        hostname: request.hostname ?? "",
        netnsPath,
        dns: request.dns ?? [],
        planned,
        ports,
      }),
    );
    const resultOf = (those: readonly EndpointRecord[]): AttachResult => {
      const order = [...those].sort((a, b) => Number(b.cni.primary) - Number(a.cni.primary));
      return { netnsPath, endpoints: order.map((record) => record.endpoint), ports: ports.map(toPort) };
    };
    const undoing = async (error: unknown): Promise<never> => {
      const undo = await detach(request.id).then(
        () => [],
        (failure: unknown) => [failure],
      );
      throw withSuppressed(error, undo);
    };
    await makeNamespace(netnsPath, sysctls).catch(undoing);
    const joined = steps
      .addAll(records, (up) =>
        report(
          "connect",
          request.id,
          up.map((record) => record.network),
        ),
      )
      .then(resultOf, undoing);
    // A failure is thrown where it is awaited; without this line it would be unhandled until then.
    joined.catch(() => undefined);
    const isCertain = planned.every(({ network }) => network.settings.source === "generated");
    return { reserved: isCertain ? resultOf(records) : undefined, joined };
  }

  return { attach: async (request) => (await beginAttach(request)).joined, beginAttach, detach };
}
