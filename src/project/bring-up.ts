/**
 * What up, create, run, scale and watch share: images first, then containers. Whoever calls says how a plan is carried out, so that the
 * program's progress and a library's events go through the same steps.
 */

import type { Project } from "../compose/model.js";
import type { EngineApi } from "../engine/api.js";
import { given } from "../lib/given.js";
import { goBoolean } from "../lib/go-boolean.js";
import { defaultPlatformOf, withDefaultPlatforms } from "../plan/build-platforms.js";
import { type ImageOptions, imageReferences, planImages } from "../plan/images.js";
import { observe, observeImages } from "../plan/observe.js";
import type { Plan } from "../plan/plan.js";
import type { UpOptions } from "../plan/reconcile/context.js";
import { planUp } from "../plan/up.js";

/** What `up` is told, for its containers and for its images. */
export type BringUpOptions = UpOptions & {
  readonly images?: Omit<ImageOptions, "now" | "separator" | "scale" | "defaultPlatform">;
};

/** Carries plans out, one after the other. */
export interface PlanRunner {
  readonly engine: EngineApi;
  /** Plans are shown only: nothing changes between the first and the second. */
  readonly dryRun: boolean;
  run(plan: Plan): Promise<unknown>;
}

/** Makes reality match the project. The caller holds the project's lock. */
export async function bringUp(runner: PlanRunner, written: Project, options: BringUpOptions): Promise<void> {
  const { engine, dryRun } = runner;
  const project = withDefaultPlatforms(written);
  const { images: imageRules, ...up } = options;
  const references = imageReferences(project, options.separator);
  const [first] = await Promise.all([
    observe(engine, project.name, { images: references }),
    dryRun ? undefined : engine.networks.mend(),
  ]);
  let observed = first;
  const images = planImages(
    project,
    observed.images,
    imageOptions(project, { ...up, ...given({ images: imageRules }) }),
  );
  if (images.operations.length > 0 || images.warnings.length > 0) {
    await runner.run(images);
    if (!dryRun) observed = { ...observed, images: await observeImages(engine, references) };
  }
  await runner.run(await planUp(project, observed, up));
}

/** The image rules of one command, with what the project says about platforms. */
export function imageOptions(
  project: Project,
  options: Pick<BringUpOptions, "images" | "scale" | "separator">,
): ImageOptions {
  return {
    ...options.images,
    ...given({ scale: options.scale, separator: options.separator }),
    ...defaultPlatformOf(project),
    ...classicBuilderOf(project),
    now: Date.now(),
  };
}

/** DOCKER_BUILDKIT=0, of the environment or `.env`, in the words that Go reads as false. */
export function classicBuilderOf(project: Project): { classicBuilder?: true } {
  const asked = project.environment["DOCKER_BUILDKIT"];
  return asked !== undefined && goBoolean(asked) === false ? { classicBuilder: true } : {};
}
