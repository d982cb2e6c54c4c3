/** Cleans up after crashes: half-done attaches, vanished namespaces, dead helpers. Cheap when nothing happened. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../../lib/errors.js";
import { containerExists } from "../state/container-facts.js";
import { liveEndpoints } from "../state/endpoints.js";
import { isPinned } from "./namespace-pin.js";
import type { Parts } from "./parts.js";
import type { Networking } from "./types.js";

/** As `Networking` promises it. What cannot be detached is told; its row stays for the next try. */
export function createRepair(parts: Parts, detach: Networking["detach"]): Networking["repair"] {
  const { ctx, site, publisher, dns } = parts;
  const { state, kernel, paths } = ctx;
  const bootId = kernel.bootId();
  return async function repair(): Promise<void> {
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
        if (!containerExists(state, id)) kernel.removeNetworkNamespace(path);
      }
      await publisher.repair();
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
    await publisher.repair();
    await dns.settled(dns.changed());
  };
}
