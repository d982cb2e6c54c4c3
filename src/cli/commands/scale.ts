/** `scale`: sets how many containers services have. */
import type { CommandSpec } from "../command.js";
import { scaleOptions } from "../flags/lifecycle.js";
import { printedWord } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "scale",
  summary: "Scale services",
  example: "tscompose scale web=3",
  args: [{ name: "SERVICE=REPLICAS", required: true, variadic: true, complete: "service-scale" }],
  options: scaleOptions,
  run: async (ctx, args, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { bringUp } = await import("../lifecycle/bring-up.js");
    const { scales } = await import("../lifecycle/options.js");
    const services = args.map((argument) => {
      const at = argument.indexOf("=");
      if (at <= 0) throw usage(`invalid scale specifier: ${argument}`);
      return argument.slice(0, at);
    });
    const project = await ctx.project({ services, noDependencies: options.flag("no-deps") });
    const scale = scales(args, project);
    await using session = await openSession(ctx, project);
    await bringUp(session, project, {
      targets: services,
      recreateDependencies: "diverged",
      scale,
      ignoreOrphans: true,
      confirm: (question) => ctx.confirm(printedWord(question), false),
    });
    return 0;
  },
};
