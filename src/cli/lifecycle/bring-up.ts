/** What up, create, run, scale and watch share: images first, then containers. No flags are read here. */
import type { Project } from "../../compose/model.js";
import { type ImageOptions, imageReferences, planImages } from "../../plan/images.js";
import type { Separator } from "../../plan/names.js";
import { observe, observeImages } from "../../plan/observe.js";
import type { UpOptions } from "../../plan/reconcile/context.js";
import { planUp } from "../../plan/up.js";
import type { CliContext } from "../context.js";
import type { RunOptions, Session } from "./session.js";

export type BringUpOptions = Omit<UpOptions, "separator"> & {
  readonly images?: Omit<ImageOptions, "now" | "separator" | "scale">;
  readonly run?: RunOptions;
};

/** Makes reality match the project. */
export async function bringUp(session: Session, project: Project, options: BringUpOptions): Promise<void> {
  const separator = separatorOf(session.ctx);
  const references = imageReferences(project, separator);
  const [first] = await Promise.all([
    observe(session.engine, project.name, { images: references }),
    session.ctx.globals.dryRun ? undefined : session.engine.networks.mend(),
  ]);
  let observed = first;
  const images = planImages(project, observed.images, imageOptions(project, options, separator));
  if (images.operations.length > 0 || images.warnings.length > 0) {
    await session.run(images, options.run);
    if (!session.ctx.globals.dryRun) {
      observed = { ...observed, images: await observeImages(session.engine, references) };
    }
  }
  const { images: _images, run, ...up } = options;
  const pod = podOf(session.ctx, project);
  const plan = await planUp(project, observed, { ...up, separator, ...(pod === undefined ? {} : { pod }) });
  await session.run(plan, run);
}

/** DOCKER_DEFAULT_PLATFORM, of the environment or `.env`. */
export function defaultPlatformOf(project: Project): { defaultPlatform?: string } {
  const platform = project.environment["DOCKER_DEFAULT_PLATFORM"];
  return platform === undefined || platform === "" ? {} : { defaultPlatform: platform };
}

/** DOCKER_BUILDKIT=0, of the environment or `.env`, in the words that Go reads as false. */
export function classicBuilderOf(project: Project): { classicBuilder?: true } {
  const asked = project.environment["DOCKER_BUILDKIT"];
  return asked !== undefined && /^(0|f|F|false|FALSE|False)$/.test(asked) ? { classicBuilder: true } : {};
}

export function imageOptions(
  project: Project,
  options: Pick<BringUpOptions, "images" | "scale">,
  separator: Separator,
): ImageOptions {
  return {
    ...options.images,
    ...(options.scale === undefined ? {} : { scale: options.scale }),
    ...defaultPlatformOf(project),
    ...classicBuilderOf(project),
    separator,
    now: Date.now(),
  };
}

/** `_` in names with `--compatibility` (docker) or `x-podman.name_separator_compat`. */
export function separatorOf(ctx: CliContext): Separator {
  return ctx.globals.compatibility ? "_" : "-";
}

/** `pod_<project>` when pods are asked for. */
function podOf(ctx: CliContext, project: Project): string | undefined {
  const extension = project["x-podman"];
  const fromFile =
    typeof extension === "object" && extension !== null && "in_pod" in extension && extension.in_pod === true;
  return (ctx.globals.inPod ?? fromFile) ? `pod_${project.name}` : undefined;
}
