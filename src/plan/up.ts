/**
 * The plan of `up`, `create` and `scale`: desired project + observed state + options → operations. Pure but for the question
 * before data loss. Creation runs across services at once; only starting follows the dependencies.
 */
import { projectLimitsMet } from "../compose/attributes/index.js";
import type { Project } from "../compose/model.js";
import { inDependencyOrder } from "./dependency-order.js";
import { sayLimits } from "./limits.js";
import type { Observed } from "./observe.js";
import { type Plan, PlanBuilder } from "./plan.js";
import type { Reconciliation, UpOptions } from "./reconcile/context.js";
import type { Orphan } from "./reconcile/fate.js";
import { decideNetworks } from "./reconcile/networks.js";
import { orphansOf, orphanWarning } from "./reconcile/orphans.js";
import { decideServices } from "./reconcile/services.js";
import { decideVolumes } from "./reconcile/volumes.js";
import type { Up } from "./up/context.js";
import { fatesOf, orphanOf } from "./up/fates.js";
import { Ledger } from "./up/ledger.js";
import { makeNetworks, makeVolumes } from "./up/resources.js";
import { startProviders, startService, waitForAll } from "./up/starts.js";
import { writePhase } from "./up/writers/index.js";

/** Makes the plan. Errors of the spec, of missing external resources and of impossible scales are thrown before anything is done. */
export async function planUp(project: Project, observed: Observed, options: UpOptions): Promise<Plan> {
  const plan = new PlanBuilder(project.name);
  const rec: Reconciliation = { project, observed, options, plan };
  sayLimits(projectLimitsMet(project), project, (message) => plan.warn(message));
  const networks = decideNetworks(rec);
  const volumes = await decideVolumes(rec);
  const replacedNetworks = namesOfReplaced(networks);
  const replacedVolumes = namesOfReplaced(volumes);
  const own = decideServices(rec, replacedVolumes);
  const order = inDependencyOrder(project.services);
  const fates = [...orphans(rec), ...fatesOf(order, own, { project, replacedNetworks, replacedVolumes })];
  const fatesByService = Map.groupBy(fates, ({ service }) => service);
  writePlan({ rec, plan, networks, volumes, order, fates, fatesByService, ledger: new Ledger() });
  return plan.build();
}

/** In the order people read it: remove, networks and volumes, create, replace, start. */
function writePlan(up: Up): void {
  writePhase(up, "remove");
  writePhase(up, "free", "backwards");
  makeNetworks(up);
  makeVolumes(up);
  startProviders(up);
  writePhase(up, "create");
  writePhase(up, "stop", "backwards");
  writePhase(up, "settle");
  if (up.rec.options.start === false) {
    writePhase(up, "tell");
    return;
  }
  for (const service of up.order) startService(up, service);
  if (up.rec.options.wait === true) waitForAll(up);
}

/** Those that go; without `removeOrphans` they are only told (docs/reconcile.md R8). */
function orphans({ project, observed, options, plan }: Reconciliation): Orphan[] {
  const found = orphansOf(project, observed);
  if (options.removeOrphans === true) return found.map(orphanOf);
  if (found.length > 0 && options.ignoreOrphans !== true) plan.warn(orphanWarning(found.map(({ name }) => name)));
  return [];
}

function namesOfReplaced(decisions: readonly { readonly name: string; readonly action: string }[]): Set<string> {
  return new Set(decisions.filter(({ action }) => action === "replace").map(({ name }) => name));
}
