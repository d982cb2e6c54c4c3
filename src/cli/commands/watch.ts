/** `watch`: keeps containers in step with the source files. */
import type { CommandSpec } from "../command.js";
import { watchOptions } from "../flags/lifecycle.js";
import { printedWord } from "../render/printed.js";

export const command: CommandSpec = {
  name: "watch",
  summary: "Watch build context for service and rebuild/refresh containers when files are updated",
  example: "tscompose watch web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: watchOptions,
  run: async (ctx, services, options) => {
    const { openWatch } = await import("../lifecycle/watch.js");
    const project = await ctx.project({ services });
    if (!options.flag("no-up")) {
      const { openSession } = await import("../lifecycle/session.js");
      const { bringUp } = await import("../lifecycle/bring-up.js");
      await using session = await openSession(ctx, project);
      await bringUp(session, project, {
        targets: services,
        ignoreOrphans: true,
        confirm: (question) => ctx.confirm(printedWord(question), false),
        images: { build: true, quietBuild: options.flag("quiet") },
      });
    }
    if (ctx.globals.dryRun) return 0;
    const stop = new AbortController();
    const release = ctx.onInterrupt(() => stop.abort());
    try {
      const { createLogPrinter } = await import("../render/log-printer.js");
      const { stdout, stderr } = ctx;
      await using watch = await openWatch(ctx, project, {
        services,
        signal: stop.signal,
        quiet: options.flag("quiet"),
        prune: options.flag("prune"),
        printer: createLogPrinter({ stdout, stderr, color: false, prefix: false, timestamps: false }),
        reload: () => ctx.project({ services, fresh: true }),
      });
      await watch.run();
    } finally {
      release();
    }
    return 130;
  },
};
