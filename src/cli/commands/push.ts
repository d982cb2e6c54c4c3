/** `push`: sends the images that services build to their registries. */
import type { CommandSpec } from "../command.js";
import { pushOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "push",
  summary: "Push service images",
  example: "tscompose push web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: pushOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { planPush } = await import("../../plan/image-commands.js");
    const project = await ctx.project({
      services,
      noDependencies: services.length > 0 && !options.flag("include-deps"),
      noEnvResolution: true,
    });
    await using session = await openSession(ctx, project, { lock: false });
    const plan = planPush(project, {
      ignoreFailures: options.flag("ignore-push-failures"),
      quiet: options.flag("quiet"),
    });
    await session.run(plan, { quiet: options.flag("quiet") });
    return 0;
  },
};
