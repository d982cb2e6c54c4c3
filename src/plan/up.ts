/**
 * The plan of `up`, `create` and `scale`: desired project + observed state + options → operations. Pure but for the question
 * before data loss. Creation runs across services at once; only starting follows the dependencies.
 */
import { projectLimitsMet } from "../compose/attributes/index.js";
import type { Project } from "../compose/model.js";
import { sayLimits } from "./limits.js";
import type { Observed } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import type { Reconciliation, UpOptions } from "./reconcile/context.js";
import { decideNetworks } from "./reconcile/networks.js";
import { decideServices } from "./reconcile/services.js";
import { decideVolumes } from "./reconcile/volumes.js";
import { freeReplacedResources, markBounced } from "./up/bounce.js";
import { createContainers, replaceContainers } from "./up/containers.js";
import { newDraft, type UpDraft } from "./up/draft.js";
import { removeOrphans, removeSurplus } from "./up/removals.js";
import { makeNetworks, makeVolumes } from "./up/resources.js";
import { startProviders, startService, tellKept, waitForAll } from "./up/starts.js";

/** Makes the plan. Errors of the spec, of missing external resources and of impossible scales are thrown before anything is done. */
export async function planUp(project: Project, observed: Observed, options: UpOptions): Promise<Plan> {
  const plan = new PlanBuilder(project.name);
  const rec: Reconciliation = { project, observed, options, plan };
  sayLimits(projectLimitsMet(project), project, (message) => plan.warn(message));
  const networks = decideNetworks(rec);
  const volumes = await decideVolumes(rec);
  const replacedVolumes = new Set(volumes.filter(({ action }) => action === "replace").map(({ name }) => name));
  const decisions = decideServices(rec, replacedVolumes);
  writePlan(newDraft(rec, { networks, volumes, decisions }));
  return plan.build();
}

/** In the order people read it: remove, networks and volumes, create, replace, start. */
function writePlan(draft: UpDraft): void {
  removeOrphans(draft);
  removeSurplus(draft);
  markBounced(draft);
  freeReplacedResources(draft);
  makeNetworks(draft);
  makeVolumes(draft);
  startProviders(draft);
  createContainers(draft);
  replaceContainers(draft);
  if (draft.rec.options.start !== false) {
    for (const service of draft.order) startService(draft, service);
    if (draft.rec.options.wait === true) waitForAll(draft);
  } else {
    for (const service of draft.order) tellKept(draft, service);
  }
}
