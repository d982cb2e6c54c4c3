/** `rm`: removes stopped containers, after asking. */
import type { CommandSpec } from "../command.js";
import { rmOptions } from "../flags/lifecycle.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "rm",
  summary: "Remove stopped service containers",
  example: "tscompose rm -f web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: rmOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { observe } = await import("../../plan/observe.js");
    const { planRemove } = await import("../../plan/lifecycle.js");
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    await using session = await openSession(ctx, project ?? { name });
    const observed = await observe(session.engine, name, { resources: false });
    const plan = planRemove(
      observed,
      { services, project },
      { stop: options.flag("stop"), volumes: options.flag("volumes") },
    );
    const names = plan.operations.flatMap((operation) =>
      operation.kind === "remove-container" ? [operation.container.name] : [],
    );
    if (names.length === 0) {
      ctx.note(printed`No stopped containers\n`);
      return 0;
    }
    const announcement = printed`Going to remove ${names.join(", ")}\n`;
    if (options.flag("force") || ctx.globals.dryRun) ctx.print(announcement);
    else {
      ctx.note(announcement);
      if (!(await ctx.confirm(printed`Are you sure?`, false))) return 0;
    }
    await session.run(plan);
    return 0;
  },
};
