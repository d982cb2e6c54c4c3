/** `up`: makes reality match the project and, unless detached, stays with the containers' output. */
import type { CommandSpec, ParsedOptions } from "../command.js";
import { upOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "up",
  summary: "Create and start containers",
  example: "tscompose up -d",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: upOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { bringUp } = await import("../lifecycle/bring-up.js");
    const { keyValues, orphanRules, pullPolicy, recreateRules, scales, timeoutMs, usage } = await import(
      "../lifecycle/options.js"
    );
    const conflict = conflictOf(options);
    if (conflict !== undefined) throw usage(conflict);
    const rules = recreateRules(options);
    const timeout = timeoutMs(options);
    const pull = options.flag("pull-always")
      ? "always"
      : pullPolicy(options, ["always", "missing", "never", "newer", "build"]);
    const project = await ctx.project({ services, noDependencies: options.flag("no-deps") });
    const detached = options.flag("detach") || options.flag("wait") || options.flag("no-start");
    const bringUpOptions = {
      targets: services,
      ...rules,
      ...orphanRules(options, { ...project.environment, ...ctx.env }),
      scale: scales(options.list("scale"), project),
      start: !options.flag("no-start"),
      wait: options.flag("wait"),
      renewAnonymousVolumes: options.flag("renew-anon-volumes"),
      noHosts: options.flag("no-hosts"),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      confirm: (question: string) => options.flag("yes") || ctx.confirm(question, false),
      images: {
        pull,
        build: options.flag("build"),
        noBuild: options.flag("no-build"),
        quietPull: options.flag("quiet-pull"),
        quietBuild: options.flag("quiet-build"),
        noCache: options.flag("no-cache"),
        buildArgs: keyValues(options.list("build-arg"), project.environment),
      },
    } as const;
    if (!detached && !ctx.globals.dryRun) {
      const { upAttached } = await import("../lifecycle/up-attached.js");
      return await upAttached(ctx, project, services, options, bringUpOptions);
    }
    const { waitLimit } = await import("../lifecycle/wait-limit.js");
    await using session = await openSession(ctx, project);
    const limit = options.flag("wait") ? options.number("wait-timeout") : undefined;
    await waitLimit(ctx, limit, (signal) => bringUp(session, project, { ...bringUpOptions, run: { signal } }));
    return 0;
  },
};

/** Rule 30: what cannot be asked for together. */
function conflictOf(options: ParsedOptions): string | undefined {
  const detached = options.flag("detach") || options.flag("wait");
  const exitFrom = options.text("exit-code-from") !== undefined;
  if (options.flag("build") && options.flag("no-build")) return "--build and --no-build are incompatible";
  if (options.flag("wait") && options.flag("abort-on-container-exit")) {
    return "--wait cannot be combined with --abort-on-container-exit";
  }
  const attachedOnly = ["abort-on-container-exit", "abort-on-container-failure", "attach-dependencies", "watch"];
  const given = attachedOnly.filter((long) => options.flag(long)).map((long) => `--${long}`);
  if (options.list("attach").length > 0) given.push("--attach");
  if (exitFrom) given.push("--exit-code-from");
  if (detached && given.length > 0) {
    const flag = options.flag("detach") ? "--detach" : "--wait";
    return `${flag} cannot be combined with ${given.join(" or ")}`;
  }
  if (options.flag("abort-on-container-exit") && options.flag("abort-on-container-failure")) {
    return "--abort-on-container-failure cannot be combined with --abort-on-container-exit";
  }
  if (options.flag("no-start") && (given.length > 0 || options.flag("wait"))) {
    return `--no-start cannot be combined with ${given[0] ?? "--wait"}`;
  }
  const limit = options.number("wait-timeout");
  if (limit !== undefined && limit < 0) return "--wait-timeout must be a non-negative integer";
  return undefined;
}
