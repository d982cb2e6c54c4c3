/** The plans of `pull`, `push` and `build`. Pure. */
import type { Project, Service } from "../compose/model.js";
import type { ImageInfo } from "../engine/types.js";
import { given } from "../lib/given.js";
import { addBuilds, type ImageOptions } from "./images.js";
import { imageKey, imageName, type Separator } from "./names.js";
import { type Plan, PlanBuilder } from "./plan.js";

/** What `pull` is told. */
export interface PullCommand {
  readonly policy?: "missing" | "always" | undefined;
  readonly ignoreBuildable: boolean;
  readonly ignoreFailures: boolean;
  readonly quiet: boolean;
  readonly separator: Separator;
  readonly defaultPlatform?: string | undefined;
}

/** One pull per image; what is not pulled is said and why. */
export function planPull(project: Project, images: ReadonlyMap<string, ImageInfo>, command: PullCommand): Plan {
  const plan = new PlanBuilder(project.name);
  const pulled = new Set<string>();
  for (const service of Object.keys(project.services).sort()) {
    const config = project.services[service];
    if (config === undefined || config.provider !== undefined) continue;
    const image = imageName(project.name, service, config, command.separator);
    const skip = skipReason(config, image, images, command);
    if (skip !== undefined) {
      plan.add(
        { resource: `image ${image} of ${service}`, cause: skip.toLowerCase() },
        { kind: "skip-image", image, text: skip },
      );
      continue;
    }
    const wanted = [
      image,
      ...(config.volumes ?? []).flatMap((v) => (v.type === "image" && v.source ? [v.source] : [])),
    ];
    for (const name of wanted) {
      const platform = config.platform ?? command.defaultPlatform;
      if (pulled.has(imageKey(name, platform))) continue;
      pulled.add(imageKey(name, platform));
      plan.add(
        { resource: `image ${name} of ${service}`, cause: "pull" },
        {
          kind: "pull-image",
          image: name,
          services: [service],
          ...given({ platform }),
          ...(command.ignoreFailures || config.build !== undefined ? { tolerant: true } : {}),
          ...(command.quiet ? { quiet: true } : {}),
        },
      );
    }
  }
  return plan.build();
}

function skipReason(
  config: Service,
  image: string,
  images: ReadonlyMap<string, ImageInfo>,
  command: PullCommand,
): string | undefined {
  if (config.image === undefined || config.image === "") return "No image to be pulled";
  if (command.ignoreBuildable && config.build !== undefined) return "Image can be built";
  const policy = command.policy ?? config.pull_policy ?? "";
  if (policy === "never" || policy === "build") return `Pull policy is ${policy}`;
  const moving = !/[:@][^/]+$/.test(image) || image.endsWith(":latest");
  if (
    (policy === "missing" || policy === "if_not_present") &&
    images.has(imageKey(image, config.platform)) &&
    !moving
  ) {
    return "Image is already present locally";
  }
  return undefined;
}

/** Images that services build and name. */
export function planPush(
  project: Project,
  command: { readonly ignoreFailures: boolean; readonly quiet: boolean },
): Plan {
  const plan = new PlanBuilder(project.name);
  const pushed = new Set<string>();
  for (const service of Object.keys(project.services).sort()) {
    const config = project.services[service];
    if (config === undefined || config.provider !== undefined) continue;
    if (config.build === undefined || config.image === undefined || config.image === "") {
      const text =
        config.image === undefined || config.image === "" ? "No image to be pushed" : "Image is not built here";
      plan.add(
        { resource: `image of ${service}`, cause: text.toLowerCase() },
        { kind: "skip-image", image: service, text },
      );
      continue;
    }
    for (const image of [config.image, ...(config.build.tags ?? [])]) {
      if (pushed.has(image)) continue;
      pushed.add(image);
      plan.add(
        { resource: `image ${image} of ${service}`, cause: "push" },
        {
          kind: "push-image",
          image,
          ...(command.ignoreFailures ? { tolerant: true } : {}),
          ...(command.quiet ? { quiet: true } : {}),
        },
      );
    }
  }
  return plan.build();
}

/** Every service that has a build section; those they build upon first. */
export function planBuild(project: Project, options: ImageOptions): Plan {
  const plan = new PlanBuilder(project.name);
  const builds = new Map<string, string>();
  for (const service of Object.keys(project.services).sort()) {
    if (project.services[service]?.build !== undefined) builds.set(service, "build");
  }
  if (builds.size === 0) plan.warn("No services to build");
  addBuilds(plan, project, builds, { ...options, everyPlatform: true });
  return plan.build();
}
