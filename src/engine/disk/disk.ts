/** The disk part of an engine: what is asked of it, handed to inventory and plan. */
import type { DiskApi } from "../api.js";
import { takeInventory } from "./inventory.js";
import { imageShares, planPrune, usageRows } from "./plan.js";
import { type PruneDeps, prune } from "./prune.js";

/** The disk part of an engine; reads nothing before it is asked. */
export function openDisk(deps: PruneDeps): DiskApi {
  return {
    async usage(signal) {
      const stored = await takeInventory(deps, signal);
      return { rows: usageRows(stored), stored, shares: imageShares(stored) };
    },
    plan: async (request, signal) => planPrune(await takeInventory(deps, signal), request),
    prune: (request, signal) => prune(deps, request, signal),
  };
}
