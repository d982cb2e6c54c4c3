/** `build`: builds or rebuilds the services' images. */
import { resolve } from "node:path";
import { isTscError, type TscError, throwAll } from "../../lib/errors.js";
import type { Plan } from "../../plan/plan.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { buildOptions } from "../flags/lifecycle.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "build",
  summary: "Build or rebuild services",
  example: "tscompose build --no-cache web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: buildOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { separatorOf } = await import("../lifecycle/bring-up.js");
    const { classicBuilderOf } = await import("../../project/bring-up.js");
    const { defaultPlatformOf } = await import("../../plan/build-platforms.js");
    const { keyValues } = await import("../lifecycle/options.js");
    const { entitlement } = await import("../../plan/build-request.js");
    const { sshForward } = await import("../../plan/build-ssh.js");
    const { planBuild, planPush } = await import("../../plan/image-commands.js");
    warnWithoutEffect(ctx, options);
    const project = await ctx.project({
      services,
      noDependencies: services.length > 0 && !options.flag("with-dependencies"),
      noEnvResolution: true,
    });
    const plan = planBuild(project, {
      separator: separatorOf(ctx),
      noCache: options.flag("no-cache"),
      pullBase: options.flag("pull") || options.flag("pull-always"),
      buildArgs: keyValues(options.list("build-arg"), project.environment),
      allow: options.list("allow").map((name) => entitlement(name, "--allow")),
      ...(options.given("ssh")
        ? { ssh: [sshForward(options.text("ssh") || "default", (path) => resolve(ctx.cwd, path))] }
        : {}),
      quietBuild: options.flag("quiet"),
      now: Date.now(),
      ...defaultPlatformOf(project),
      ...classicBuilderOf(project),
    });
    if (options.flag("print")) {
      const { bakeFile } = await import("../lifecycle/bake-file.js");
      ctx.print(bakeFile(plan));
      return 0;
    }
    if (options.flag("check")) return await checkAll(ctx, plan);
    await using session = await openSession(ctx, project);
    await session.run(plan);
    if (options.flag("push")) {
      await session.run(planPush(project, { ignoreFailures: false, quiet: options.flag("quiet") }));
    }
    return 0;
  },
};

/** Reads every Dockerfile; all that is wrong is told at the end. */
async function checkAll(ctx: CliContext, plan: Plan): Promise<number> {
  const { images } = await ctx.engine();
  const errors: TscError[] = [];
  for (const operation of plan.operations) {
    if (operation.kind !== "build-image") continue;
    try {
      const { file, stages } = await images.checkBuild(operation.request);
      ctx.print(
        printed`${operation.service}: check complete, nothing wrong in ${file} (${stages} stage${stages === 1 ? "" : "s"})\n`,
      );
    } catch (error) {
      if (!isTscError(error)) throw error;
      errors.push(error);
    }
  }
  throwAll(errors);
  return 0;
}

function warnWithoutEffect(ctx: CliContext, options: ParsedOptions): void {
  const ignored: readonly [string, string][] = [
    ["builder", "there is one builder, inside tscompose"],
    ["memory", "builds run without a memory limit"],
    ["provenance", "no attestations are made"],
    ["sbom", "no attestations are made"],
  ];
  for (const [long, why] of ignored) if (options.given(long)) ctx.warn(`--${long} has no effect: ${why}`);
}
