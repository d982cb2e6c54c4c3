/** `pause` and `unpause`: the same walk over a project's containers. */
import type { CommandSpec } from "./command.js";

/** What either command does. */
export function pausing(verb: "pause" | "unpause"): CommandSpec["run"] {
  return async (ctx, services) => {
    const { openSession } = await import("./lifecycle/session.js");
    const { observe } = await import("../plan/observe.js");
    const { planPause } = await import("../plan/lifecycle.js");
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    await using session = await openSession(ctx, project ?? { name });
    const observed = await observe(session.engine, name, { resources: false });
    await session.run(planPause(observed, { services, project }, verb));
    return 0;
  };
}
