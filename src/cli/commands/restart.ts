/** `restart`: stops and starts containers again, dependencies first. */
import type { CommandSpec } from "../command.js";
import { restartOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "restart",
  summary: "Restart service containers",
  example: "tscompose restart web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: restartOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { timeoutMs } = await import("../lifecycle/options.js");
    const { observe } = await import("../../plan/observe.js");
    const { planRestart } = await import("../../plan/restart.js");
    const timeout = timeoutMs(options);
    const { name, project } = await ctx.projectOrName();
    if (services.length > 0 && project !== undefined) await ctx.projectOrName({ services });
    await using session = await openSession(ctx, project ?? { name });
    const observed = await observe(session.engine, name, { resources: false });
    await session.run(
      planRestart(observed, { services, project }, { timeoutMs: timeout, noDependencies: options.flag("no-deps") }),
    );
    return 0;
  },
};
