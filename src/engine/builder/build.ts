/** One build from its request to its image: plans the stages, runs them in order and makes the image. */
import type { BuildRequest } from "../api.js";
import { familiarName, parsePlatform } from "../images/index.js";
import type { ImageInfo } from "../types.js";
import { baseImage, stateOfImage } from "./base-image.js";
import { openContext } from "./context.js";
import type { Build, BuildDeps } from "./deps.js";
import { dockerfileError } from "./dockerfile/parse.js";
import { executeStage, type StepCounter } from "./execute-stage.js";
import { encodeImageConfig } from "./image-config.js";
import { type BuildPlan, readPlan } from "./read-request.js";
import { openAgents } from "./ssh/index.js";
import { type Stage, stageNamed } from "./stages.js";
import { emptyState, type StageState } from "./state.js";
import { imageOfContext, treesOf } from "./trees.js";
import { visibleCopies } from "./visible-copy.js";

/**
 * Builds an image. `TSC_DOCKERFILE` for mistakes in the file (with place), `TSC_BUILD_FAILED` for a RUN that fails,
 * `TSC_BUILD_CONTEXT` for a missing context or Dockerfile. Nothing but finished layers in the cache is left by a
 * failed or cancelled build.
 */
export async function buildImage(deps: BuildDeps, request: BuildRequest): Promise<ImageInfo> {
  // found layers and blobs are as good as new ones until the image is recorded
  return await deps.images.holding(() => buildHeld(deps, request));
}

async function buildHeld(deps: BuildDeps, request: BuildRequest): Promise<ImageInfo> {
  const read = readPlan(deps.ctx.kernel, request);
  const { contextRoot, source, parsed, plan } = read;
  const agents = openAgents(request.ssh ?? [], deps.ctx.env);
  await using mounted = new AsyncDisposableStack();
  const states = new Map<Stage, StageState>();
  const build: Build = {
    deps,
    request,
    file: source.name,
    parsed,
    plan,
    context: openContext(deps.ctx.kernel, contextRoot, source.inContext),
    treeOf: treesOf({ deps, request, read, states, mounted }),
    visible: visibleCopies(deps, mounted, request.signal),
    agents,
    startedAt: Date.now(),
    progress: request.onProgress ?? (() => {}),
    image: request.tags[0] ?? "",
    signal: request.signal,
  };
  const total = plan.stages.reduce((sum, stage) => sum + 1 + stage.instructions.length, 0);
  const counter: StepCounter = { done: 0, total };
  let last: StageState | undefined;
  for (const stage of plan.stages) {
    request.signal?.throwIfAborted();
    counter.done++;
    const { image, progress } = build;
    const { text } = stage.from;
    progress({ type: "build-step", image, step: counter.done, steps: total, text, cached: false });
    last = await executeStage(build, stage, await beginningOf(build, read, states, stage), counter);
    states.set(stage, last);
  }
  if (last === undefined) throw new Error("unreachable: a plan has at least one stage");
  warnUnusedArgs(build);
  return await exportImage(build, last);
}

/** What a stage begins with: an earlier stage, nothing, or an image. */
async function beginningOf(
  { deps, request, file, plan }: Build,
  { contexts }: BuildPlan,
  states: ReadonlyMap<Stage, StageState>,
  stage: Stage,
): Promise<StageState> {
  const context = contexts.get(stage.base.toLowerCase());
  const earlier = context === undefined ? stageNamed(plan.all, stage.base, stage.index, false) : undefined;
  if (earlier !== undefined) {
    const state = states.get(earlier);
    if (state === undefined) throw new Error(`unreachable: stage ${earlier.index} was not built`);
    return state;
  }
  if (stage.base === "scratch")
    return emptyState(parsePlatform(stage.platform === "" ? request.platform : stage.platform));
  const image = imageOfContext(context, stage.base);
  if (image === undefined) {
    const message = `additional context ${stage.base} is a folder and cannot be a base image`;
    throw dockerfileError(file, stage.from, message);
  }
  return stateOfImage(await baseImage(deps.images, request, image, stage.platform));
}

/** Stores the image that the last stage is, names it and tells of it. */
async function exportImage({ deps, request, image, progress }: Build, last: StageState): Promise<ImageInfo> {
  const labels = { ...last.config.labels, ...request.labels };
  const config = encodeImageConfig({ ...last, config: { ...last.config, labels }, createdAt: last.createdAt || EPOCH });
  const exportedFrom = performance.now();
  const info = await deps.images.createImage({
    config,
    topChainId: last.chainId,
    tags: request.tags,
    names: request.beside === true ? "yield" : "take",
  });
  for (const tag of info.tags) {
    const name = familiarName(tag);
    deps.ctx.emit({ type: "image", action: "tag", id: info.id, name, attributes: { name } });
  }
  const durationMs = performance.now() - exportedFrom;
  progress({ type: "build-export", image, imageId: info.id, names: info.tags, durationMs });
  progress({ type: "build-done", image, imageId: info.id });
  return info;
}

/** Of an image of nothing (`FROM scratch` alone), so that it is the same image every time. */
const EPOCH = "1970-01-01T00:00:00.000Z";

const PREDEFINED =
  /^(?:(?:HTTPS?|FTP|NO|ALL)_PROXY|(?:https?|ftp|no|all)_proxy|SOURCE_DATE_EPOCH|BUILDKIT_\w+|(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT))$/;

function warnUnusedArgs(build: Build): void {
  const declared = new Set(
    build.parsed.instructions.flatMap((instruction) =>
      instruction.kind === "ARG" ? instruction.names.map(({ name }) => name) : [],
    ),
  );
  const unused = Object.keys(build.request.args ?? {}).filter((name) => !declared.has(name) && !PREDEFINED.test(name));
  if (unused.length === 0) return;
  build.progress({ type: "warning", message: `build args not used by ${build.file}: ${unused.join(", ")}` });
}
