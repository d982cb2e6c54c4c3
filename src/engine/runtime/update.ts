/** Live change of a container's limits and restart policy. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { given } from "../../lib/given.js";
import type { ContainersApi } from "../api.js";
import { type ContainerRow, containerById, saveSpec } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import { bundleOf, isUp } from "./lookup.js";
import { deviceNumbersOf } from "./oci/devices.js";
import { cgroupResources, honoured } from "./oci/limits.js";
import { ociJson } from "./oci/spec.js";
import { callRuntime } from "./oci-runtime.js";
import { superviseContainer, unsuperviseContainer } from "./supervise.js";

/** Applies the change to the running container (if it runs) and keeps it for the next start. */
export async function updateContainer(
  deps: RuntimeDeps,
  row: ContainerRow,
  change: Parameters<ContainersApi["update"]>[1],
): Promise<void> {
  const { ctx } = deps;
  const spec = {
    ...row.spec,
    ...given({ restart: change.restart }),
    ...(change.resources === undefined ? {} : { resources: { ...row.spec.resources, ...change.resources } }),
  };
  const isRunning = isUp(row);
  const { runtime, cgroupPath = "" } = row.record;
  if (isRunning && change.resources !== undefined && runtime !== undefined) {
    const host = deps.host();
    const resources = cgroupResources(honoured(spec, host, ctx.warn), host, [], deviceNumbersOf);
    if (cgroupPath !== "") {
      // A file: Node's pipes are sockets, which /dev/stdin cannot open.
      const file = join(bundleOf(ctx, row.id), "resources.json");
      await writeFile(file, ociJson(resources), { mode: 0o600 });
      await callRuntime(ctx, { choice: runtime, cgroupPath, verb: "update", args: ["--resources", file, row.id] });
    }
  }
  // Off before the row says otherwise: a watch that is missing is written again, one of other terms is not seen.
  const isWatchChanged = isRunning && change.restart !== undefined;
  if (isWatchChanged) await unsuperviseContainer(ctx, row.id);
  saveSpec(ctx.state, row.id, spec);
  const fresh = containerById(ctx.state, row.id);
  if (isWatchChanged && fresh !== undefined) await superviseContainer(ctx, fresh);
}
