/** `create`: makes containers without starting them. */
import type { CommandSpec } from "../command.js";
import { createOptions } from "../flags/lifecycle.js";
import { printedWord } from "../render/printed.js";

export const command: CommandSpec = {
  name: "create",
  summary: "Creates containers for a service",
  example: "tscompose create web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: createOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { bringUp } = await import("../lifecycle/bring-up.js");
    const { orphanRules, pullPolicy, recreateRules, refuseBoth, scales } = await import("../lifecycle/options.js");
    refuseBoth(options, "build", "no-build");
    if (options.flag("y")) ctx.warn("--y is deprecated, please use --yes instead");
    const rules = recreateRules(options);
    const pull = pullPolicy(options, ["always", "missing", "never", "build"]);
    const project = await ctx.project({ services });
    await using session = await openSession(ctx, project);
    await bringUp(session, project, {
      targets: services,
      ...rules,
      ...orphanRules(options, { ...project.environment, ...ctx.env }),
      scale: scales(options.list("scale"), project),
      start: false,
      confirm: (question) => options.flag("yes") || options.flag("y") || ctx.confirm(printedWord(question), false),
      images: {
        pull,
        build: options.flag("build"),
        noBuild: options.flag("no-build"),
        quietPull: options.flag("quiet-pull"),
      },
    });
    return 0;
  },
};
