/** `pull`: brings the services' images. */
import type { CommandSpec } from "../command.js";
import { pullOptions } from "../flags/lifecycle.js";

export const command: CommandSpec = {
  name: "pull",
  summary: "Pull service images",
  example: "tscompose pull --ignore-buildable",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: pullOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { separatorOf } = await import("../lifecycle/bring-up.js");
    const { defaultPlatformOf } = await import("../../plan/build-platforms.js");
    const { imageReferences } = await import("../../plan/images.js");
    const { observeImages } = await import("../../plan/observe.js");
    const { planPull } = await import("../../plan/image-commands.js");
    const { TscError } = await import("../../lib/errors.js");
    const project = await ctx.project({
      services,
      noDependencies: services.length > 0 && !options.flag("include-deps"),
      noEnvResolution: true,
    });
    const separator = separatorOf(ctx);
    await using session = await openSession(ctx, project, { lock: false });
    const images = await observeImages(session.engine, imageReferences(project, separator));
    const policy = options.text("policy");
    const ignoreFailures = options.flag("ignore-pull-failures");
    const plan = planPull(project, images, {
      policy: policy === "missing" || policy === "always" ? policy : undefined,
      ignoreBuildable: options.flag("ignore-buildable"),
      ignoreFailures,
      quiet: options.flag("quiet"),
      separator,
      ...defaultPlatformOf(project),
    });
    const failed = new Map<string, string>();
    await session.run(plan, {
      quiet: options.flag("quiet"),
      onEvent: (event) => {
        if (event.type === "status" && event.status === "warning") failed.set(event.name, event.details ?? event.text);
      },
    });
    await session.endProgress();
    const mustBuild = Object.entries(project.services)
      .filter(([, { build, image }]) => build !== undefined && image !== undefined && failed.has(image))
      .map(([name]) => name);
    if (mustBuild.length > 0) {
      ctx.warn(`Some service image(s) must be built from source by running: tscompose build ${mustBuild.join(" ")}`);
    }
    if (failed.size > 0 && !ignoreFailures) {
      throw new TscError("TSC_PULL_FAILED", [...failed].map(([image, why]) => `${image}: ${why}`).join("\n"), {
        hint: "--ignore-pull-failures goes on without them",
      });
    }
    return 0;
  },
};
