/** `up`: makes reality match the project and, unless detached, stays with the containers' output. */

import { noSuchService } from "../../compose/no-such-service.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import { upOptions } from "../flags/lifecycle.js";
import { printedWord } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "up",
  summary: "Create and start containers",
  example: "tscompose up -d",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: upOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { bringUp } = await import("../lifecycle/bring-up.js");
    const { keyValues, orphanRules, pullPolicy, recreateRules, scales, timeoutMs } = await import(
      "../lifecycle/options.js"
    );
    const conflict = conflictOf(options);
    if (conflict !== undefined) throw usage(conflict);
    const assumesYes = options.flag("yes") || options.flag("y");
    if (options.flag("y")) ctx.warn("--y is deprecated, please use --yes instead");
    const rules = recreateRules(options);
    const timeout = timeoutMs(options);
    const pull = options.flag("pull-always")
      ? "always"
      : pullPolicy(options, ["always", "missing", "never", "newer", "build"]);
    const project = await ctx.project({ services, noDependencies: options.flag("no-deps") });
    if (!ctx.globals.allResources && Object.keys(project.services).length === 0) {
      throw new TscError("TSC_NO_SERVICE", "no service selected", {
        kind: "invalid-input",
        hint: "every service has a profile that is not switched on: name one with --profile",
      });
    }
    const unknown = options.list("attach").filter((service) => project.services[service] === undefined);
    if (unknown.length > 0) throw usage(`cannot attach to services not included in up: ${unknown.join(", ")}`);
    const exitFrom = options.text("exit-code-from") ?? "";
    if (exitFrom !== "" && project.services[exitFrom] === undefined) throw noSuchService(exitFrom);
    const { confirmRemoteStack } = await import("../remote-stack.js");
    await confirmRemoteStack(ctx, project, assumesYes);
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
      ...given({ timeoutMs: timeout }),
      confirm: (question: string) => assumesYes || ctx.confirm(printedWord(question), false),
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

/** docs/reconcile.md R10: what cannot be asked for together, in docker compose's order and words. */
function conflictOf(options: ParsedOptions): string | undefined {
  const has = (long: string) => options.flag(long);
  const hasAttach = options.list("attach").length > 0;
  const abortsOnFailure = has("abort-on-container-failure");
  const exitFrom = (options.text("exit-code-from") ?? "") !== "";
  const abortsOnExit = has("abort-on-container-exit") || (exitFrom && !abortsOnFailure);
  const detached = has("detach") || has("wait") || has("no-start");
  const all = "--abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch";
  const name = has("wait") ? "--wait" : has("detach") ? "--detach" : "--no-start";
  const rules: readonly (readonly [boolean, string])[] = [
    [(options.number("wait-timeout") ?? 0) < 0, "--wait-timeout must be a non-negative integer"],
    [abortsOnExit && abortsOnFailure, "--abort-on-container-failure cannot be combined with --abort-on-container-exit"],
    [has("build") && has("no-build"), "--build and --no-build are incompatible"],
    [has("no-start") && has("wait"), "--no-start cannot be combined with --wait"],
    [
      detached && (abortsOnExit || abortsOnFailure || hasAttach || has("attach-dependencies") || has("watch")),
      `${name} cannot be combined with ${all}`,
    ],
    [has("renew-anon-volumes") && has("no-recreate"), "--no-recreate and --renew-anon-volumes are incompatible"],
    [has("no-build") && has("watch"), "--no-build and --watch are incompatible"],
    [hasAttach && has("attach-dependencies"), "cannot combine --attach and --attach-dependencies"],
  ];
  return rules.find(([applies]) => applies)?.[1];
}
