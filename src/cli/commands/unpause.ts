/** `unpause`: Unpauses running containers. */
import type { CommandSpec } from "../command.js";
import { unpauseOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "unpause",
  summary: "Unpause services",
  example: "tscompose unpause web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: unpauseOptions,
  run: async (ctx, services) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { observe } = await import("../../plan/observe.js");
    const { planPause } = await import("../../plan/lifecycle.js");
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    await using session = await openSession(ctx, project ?? { name });
    const observed = await observe(session.engine, name, { resources: false });
    await session.run(planPause(observed, { services, project }, "unpause"));
    return 0;
  },
};
