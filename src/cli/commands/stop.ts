/** `stop`: stops containers without removing them, dependents first. */
import type { CommandSpec } from "../command.js";
import { stopOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "stop",
  summary: "Stop services",
  example: "tscompose stop -t 5 web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: stopOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { timeoutMs } = await import("../lifecycle/options.js");
    const { observe } = await import("../../plan/observe.js");
    const { planStop } = await import("../../plan/stop.js");
    const timeout = timeoutMs(options);
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    await using session = await openSession(ctx, project ?? { name });
    const observed = await observe(session.engine, name, { resources: false });
    await session.run(planStop(observed, { services, project }, { timeoutMs: timeout }));
    return 0;
  },
};
