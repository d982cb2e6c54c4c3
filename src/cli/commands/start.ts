/** `start`: starts containers that exist, dependencies first. */
import type { CommandSpec } from "../command.js";
import { startOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "start",
  summary: "Start services",
  example: "tscompose start web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: startOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { waitLimit } = await import("../lifecycle/wait-limit.js");
    const { observe } = await import("../../plan/observe.js");
    const { planStart } = await import("../../plan/start.js");
    const wait = options.flag("wait");
    const { name, project } = await ctx.projectOrName({ services });
    await using session = await openSession(ctx, project ?? { name });
    const observed = await observe(session.engine, name, { resources: false });
    const plan = planStart(observed, { services, project }, { wait });
    await waitLimit(ctx, wait ? options.number("wait-timeout") : undefined, (signal) => session.run(plan, { signal }));
    return 0;
  },
};
