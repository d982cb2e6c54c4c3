/** `down`: stops and removes containers, networks and, when asked, volumes and images. Works from labels without a compose file. */
import type { CommandSpec } from "../command.js";
import { downOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "down",
  summary: "Stop and remove containers, networks",
  example: "tscompose down -v",
  args: [{ name: "SERVICES", variadic: true, complete: "service" }],
  options: downOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { orphanRules, timeoutMs } = await import("../lifecycle/options.js");
    const { separatorOf } = await import("../lifecycle/bring-up.js");
    const { observe } = await import("../../plan/observe.js");
    const { planDown } = await import("../../plan/down.js");
    const timeout = timeoutMs(options);
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    const orphans = orphanRules(options, { ...project?.environment, ...ctx.env });
    await using session = await openSession(ctx, project ?? { name });
    const rmi = options.text("rmi");
    const observed = await observe(session.engine, name);
    const plan = planDown(observed, {
      services,
      project,
      volumes: options.flag("volumes"),
      images: rmi === "local" || rmi === "all" ? rmi : undefined,
      ...orphans,
      timeoutMs: timeout,
      separator: separatorOf(ctx),
    });
    await session.run(plan);
    return 0;
  },
};
