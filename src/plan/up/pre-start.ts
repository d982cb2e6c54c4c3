/** The hooks before the first start of a service's containers. */
import { hookSpec } from "../hooks.js";
import { type ContainerFate, isMade } from "../reconcile/fate.js";
import { type Conditions, keyOf, liveOf, type Up } from "./context.js";

/** pre_start commands run once when every container of the service is new, or in each new one with `per_replica`; ids by `keyOf`. */
export function preStartHooks(
  up: Up,
  service: string,
  conditions: () => Conditions,
): ReadonlyMap<string, readonly number[]> {
  const ids = new Map<string, readonly number[]>();
  const hooks = up.rec.project.services[service]?.pre_start ?? [];
  const live = liveOf(up, service);
  if (hooks.length === 0 || live.length === 0) return ids;
  let shared: readonly number[] = [];
  hooks.forEach((hook, index) => {
    const runsIn =
      hook.per_replica === true ? live.filter(isFirstStart) : live.every(isFirstStart) ? live.slice(0, 1) : [];
    for (const container of runsIn) {
      const spec = "spec" in container ? container.spec : container.observed.info.spec;
      const waits = conditions();
      const name = `pre_start[${index}]`;
      const key = keyOf(container);
      const id = up.plan.add(
        {
          resource: `${name} of ${service}-${container.number}`,
          cause: "prepares the start",
          dependsOn: up.ledger.behindCreations([
            ...up.ledger.after("startable", key),
            ...waits.dependsOn,
            ...shared,
            ...(ids.get(key) ?? []),
          ]),
          after: waits.after,
        },
        { kind: "run-hook", service, hook: name, spec: hookSpec(up.rec.project, service, spec, hook, index) },
      );
      up.ledger.noteBehindCreations([id]);
      if (hook.per_replica === true) ids.set(key, [...(ids.get(key) ?? []), id]);
      else shared = [id];
    }
  });
  for (const container of live) ids.set(keyOf(container), [...(ids.get(keyOf(container)) ?? []), ...shared]);
  return ids;
}

function isFirstStart(container: ContainerFate): boolean {
  return isMade(container) || ("observed" in container && container.observed.info.state === "created");
}
