/** `kill`: sends a signal to running containers. */
import type { CommandSpec } from "../command.js";
import { killOptions } from "../flags/lifecycle.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "kill",
  summary: "Force stop service containers",
  example: "tscompose kill -s SIGHUP web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: killOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { orphanRules } = await import("../lifecycle/options.js");
    const { observe } = await import("../../plan/observe.js");
    const { planKill } = await import("../../plan/lifecycle.js");
    const { orphansOf } = await import("../../plan/reconcile/orphans.js");
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    const { removeOrphans } = orphanRules(options, { ...project?.environment, ...ctx.env });
    await using session = await openSession(ctx, project ?? { name }, { lock: false });
    const observed = await observe(session.engine, name, { resources: false });
    const plan = planKill(observed, { services, project }, options.text("signal") ?? "SIGKILL");
    if (plan.operations.length === 0) ctx.note(printed`No container to kill\n`);
    await session.run(plan);
    if (removeOrphans && project !== undefined) {
      const orphans = orphansOf(project, observed);
      const { planDown } = await import("../../plan/down.js");
      const only = { ...observed, containers: orphans, networks: new Map(), volumes: new Map() };
      if (orphans.length > 0) await session.run(planDown(only, { removeOrphans: true }));
    }
    return 0;
  },
};
