/**
 * Links between containers: one knows another by a name of its own, in its /etc/hosts (docker's `--link`). The file follows the
 * linked container: written at the start of the one, rewritten when the other starts with a new address.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import { type ContainerRow, containerByName, linkingContainers } from "../state/containers.js";
import { endpointsOf } from "../state/endpoints.js";
import type { NetworkEndpoint } from "../types.js";
import type { RuntimeDeps } from "./deps.js";
import { hostsFile, type LinkedAddress } from "./hosts.js";
import { folderOf } from "./lookup.js";

/** The text of a container's /etc/hosts when it has these endpoints. */
export async function hostsText(
  deps: RuntimeDeps,
  row: ContainerRow,
  endpoints: readonly NetworkEndpoint[],
): Promise<string> {
  const networking = await deps.networking();
  return hostsFile(row, endpoints, () => networking.hostGateway(row.id), linkedAddresses(deps, row, endpoints));
}

/** Rewrites the hosts files of running containers that link to this one; in place, because they are bound into them. */
export async function updateLinkingContainers(deps: RuntimeDeps, name: string): Promise<void> {
  for (const row of linkingContainers(deps.ctx.state, name)) {
    const endpoints = endpointsOf(deps.ctx.state, row.id).map(({ endpoint }) => endpoint);
    try {
      await using file = await open(join(folderOf(deps.ctx, row.id), "hosts"), "r+");
      const text = await hostsText(deps, row, endpoints);
      await file.truncate(0);
      await file.writeFile(text);
    } catch (error) {
      // It ended meanwhile; its next start writes the file anew.
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
}

function linkedAddresses(deps: RuntimeDeps, row: ContainerRow, endpoints: readonly NetworkEndpoint[]): LinkedAddress[] {
  const { state } = deps.ctx;
  const own = new Set(endpoints.map(({ network }) => network));
  return (row.spec.links ?? []).flatMap(({ container, names }) => {
    const linked = containerByName(state, container);
    if (linked === undefined) return [];
    return endpointsOf(state, linked.id)
      .filter(({ network }) => own.has(network))
      .flatMap(({ endpoint }) => [endpoint.ipv4, endpoint.ipv6])
      .filter((address) => address !== "")
      .map((address) => ({ address, names }));
  });
}
