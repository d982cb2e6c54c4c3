/** The hooks before the first start of a service's containers. */
import { hookSpec } from "../hooks.js";
import type { ContainerDecision } from "../reconcile/decision.js";
import { afterCreation, type Conditions, type UpDraft } from "./draft.js";

/** pre_start commands run once when every container of the service is new, or in each new one with `per_replica`. */
export function preStartHooks(
  draft: UpDraft,
  service: string,
  conditions: () => Conditions,
): ReadonlyMap<string, number[]> {
  const ids = new Map<string, number[]>();
  const hooks = draft.rec.project.services[service]?.pre_start ?? [];
  const live = (draft.decisions.get(service) ?? []).filter(({ action }) => action !== "remove");
  if (hooks.length === 0 || live.length === 0) return ids;
  const isNew = (decision: ContainerDecision): boolean =>
    decision.action === "create" ||
    decision.action === "recreate" ||
    (decision.action === "start" && decision.observed.info.state === "created");
  let shared: number[] = [];
  hooks.forEach((hook, index) => {
    const runsIn = hook.per_replica === true ? live.filter(isNew) : live.every(isNew) ? live.slice(0, 1) : [];
    for (const decision of runsIn) {
      const spec = "spec" in decision ? decision.spec : decision.observed.info.spec;
      const waits = conditions();
      const name = `pre_start[${index}]`;
      const id = draft.plan.add(
        {
          resource: `${name} of ${service}-${decision.number}`,
          cause: "prepares the start",
          dependsOn: afterCreation(draft, [
            ...(draft.startable.get(decision.target.name) ?? []),
            ...waits.dependsOn,
            ...shared,
            ...(ids.get(decision.target.name) ?? []),
          ]),
          after: waits.after,
        },
        { kind: "run-hook", service, hook: name, spec: hookSpec(draft.rec.project, service, spec, hook, index) },
      );
      draft.afterCreation.add(id);
      if (hook.per_replica === true) ids.set(decision.target.name, [...(ids.get(decision.target.name) ?? []), id]);
      else shared = [id];
    }
  });
  for (const { target } of live) ids.set(target.name, [...(ids.get(target.name) ?? []), ...shared]);
  return ids;
}
