/**
 * The Dockerfile builder's public face: reads the request, plans the stages, runs them in order and makes the image.
 * What each instruction does is in steps/, the language in dockerfile/. Starts no process itself: RUN goes through `runStep`.
 */
import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { changedError, type ErrorKind, errnoOf, isTscError, TscError } from "../../lib/errors.js";
import type { BuildRequest } from "../api.js";
import { chainIdOf, familiarName, formatPlatform, hostPlatform, parsePlatform } from "../images/index.js";
import type { ImageInfo } from "../types.js";
import { openContext } from "./context.js";
import type { Build, BuildDeps, NamedTree } from "./deps.js";
import { dockerfileError, parseDockerfile } from "./dockerfile/parse.js";
import { readDockerfile } from "./dockerfile-source.js";
import { IGNORE_NOTHING } from "./dockerignore.js";
import { checkEntitlements, stepNetwork } from "./entitlements.js";
import { executeStage, type StepCounter } from "./execute-stage.js";
import { encodeImageConfig } from "./image-config.js";
import { openAgents } from "./ssh/index.js";
import { planStages, type Stage, stageNamed } from "./stages.js";
import { emptyState, type StageState } from "./state.js";
import { visibleCopies } from "./visible-copy.js";

export { type CacheFolder, cacheFolders, isCacheFolderInUse, removeCacheFolder } from "./cache-mounts.js";
export { applyChanges } from "./changes.js";
export type { BuildDeps, BuildImages, RunStep, RunStepRequest } from "./deps.js";
export { encodeImageConfig } from "./image-config.js";
export { containerRunStep } from "./run-step.js";
export { emptyState, type StageState } from "./state.js";

/** Reads the Dockerfile and resolves its stages as a build would, without running anything. The errors are those of `buildImage`. */
export function checkBuild(kernel: Kernel, request: BuildRequest): { readonly file: string; readonly stages: number } {
  const { source, plan } = readPlan(kernel, request);
  return { file: source.name, stages: plan.stages.length };
}

/** Never a folder, whatever `..` follows: who says which folders may be read lets these pass. */
const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|service:)/i;

function readPlan(kernel: Kernel, request: BuildRequest) {
  const contextRoot = openFolder(request.context);
  const source = readDockerfile(kernel, request, contextRoot);
  const parsed = parseDockerfile(source.text, source.name);
  const contexts = new Map(
    Object.entries(request.additionalContexts ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const),
  );
  const plan = planStages(parsed, {
    file: source.name,
    target: request.target,
    args: request.args ?? {},
    platformArgs: platformArgs(parsePlatform(request.platform)),
    contexts: new Set(contexts.keys()),
  });
  stepNetwork(request);
  for (const { instructions } of plan.stages) {
    for (const instruction of instructions) checkEntitlements(request, instruction, source.name);
  }
  return { contextRoot, source, parsed, contexts, plan };
}

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
  const platform = parsePlatform(request.platform);
  const { contextRoot, source, parsed, contexts, plan } = readPlan(deps.ctx.kernel, request);
  const agents = openAgents(request.ssh ?? [], deps.ctx.env);
  await using mounted = new AsyncDisposableStack();
  const states = new Map<Stage, StageState>();
  const trees = new Map<string, Promise<NamedTree>>();
  const openTree = async (name: string, stage: Stage): Promise<NamedTree> => {
    const place = stage.from;
    const context = contexts.get(name.toLowerCase());
    if (context !== undefined && !context.startsWith("docker-image://")) {
      if (REMOTE.test(context)) {
        throw new TscError("TSC_BUILD_UNSUPPORTED", `additional context ${name}: ${context} is not supported`, {
          kind: "unsupported",
          hint: "give a folder or docker-image://NAME",
        });
      }
      const root = openFolder(resolve(contextRoot, context));
      return { tree: openContext(deps.ctx.kernel, root), chainId: "" };
    }
    const other = context === undefined ? stageNamed(plan.all, name, stage.index, true) : undefined;
    const state = other === undefined ? undefined : states.get(other);
    if (other !== undefined && state === undefined) throw new Error(`unreachable: stage ${name} was not built`);
    if (context === undefined && other === undefined && /^\d+$/.test(name)) {
      throw dockerfileError(source.name, place, `invalid from flag value ${name}: no such stage before this one`);
    }
    const imageName = context?.slice("docker-image://".length) ?? name;
    const chainId = state?.chainId ?? chainIdOf((await baseImage(imageName, stage.platform)).diffIds);
    if (chainId === "") {
      throw new TscError("TSC_BUILD_EMPTY", `${source.name}: ${name} has no files to copy`, { kind: "invalid-input" });
    }
    const view = mounted.use(await deps.storage.viewImage(chainId));
    return { tree: { root: realpathSync(view.path), ignore: IGNORE_NOTHING, keepsOwners: true }, chainId };
  };
  const baseImage = async (name: string, stagePlatform: string): Promise<ImageInfo> => {
    const wanted = stagePlatform !== "" ? stagePlatform : request.platform;
    // a name may belong to another platform's image: what is asked for, else this machine's, comes first
    const platform = parsePlatform(wanted);
    const stored = request.pull === true ? undefined : await deps.images.find(name, formatPlatform(platform));
    if (stored !== undefined && ["", platform.architecture].includes(stored.architecture)) return stored;
    // a name that services run from is not moved by a build that only reads from it
    try {
      return await deps.images.pull(name, {
        names: "leave",
        ...(wanted === undefined ? {} : { platform: wanted }),
        ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (error) {
      // an image that is here for another platform only, and no platform asked for: that one, as a run would take it
      if (stored !== undefined && wanted === undefined) return stored;
      if (!isTscError(error, "TSC_IMAGE_PLATFORM")) throw error;
      throw changedError(error, { message: `${name}: no match for platform in manifest: not found` });
    }
  };
  const build: Build = {
    deps,
    request,
    file: source.name,
    parsed,
    plan,
    context: openContext(deps.ctx.kernel, contextRoot, source.inContext),
    treeOf: (name, stage) => {
      const id = `${stage.index}\0${name}`;
      const tree = trees.get(id) ?? openTree(name, stage);
      trees.set(id, tree);
      return tree;
    },
    visible: visibleCopies(deps, mounted, request.signal),
    agents,
    startedAt: Date.now(),
    progress: request.onProgress ?? (() => {}),
    image: request.tags[0] ?? "",
    signal: request.signal,
  };
  const counter: StepCounter = {
    done: 0,
    total: plan.stages.reduce((sum, stage) => sum + 1 + stage.instructions.length, 0),
  };
  let last: StageState | undefined;
  for (const stage of plan.stages) {
    request.signal?.throwIfAborted();
    counter.done++;
    const { text } = stage.from;
    build.progress({
      type: "build-step",
      image: build.image,
      step: counter.done,
      steps: counter.total,
      text,
      cached: false,
    });
    const earlier = contexts.has(stage.base.toLowerCase())
      ? undefined
      : stageNamed(plan.all, stage.base, stage.index, false);
    let base: StageState;
    if (earlier !== undefined) {
      const state = states.get(earlier);
      if (state === undefined) throw new Error(`unreachable: stage ${earlier.index} was not built`);
      base = state;
    } else if (stage.base === "scratch") {
      base = emptyState(stage.platform === "" ? platform : parsePlatform(stage.platform));
    } else {
      const context = contexts.get(stage.base.toLowerCase());
      if (context !== undefined && !context.startsWith("docker-image://")) {
        throw dockerfileError(
          source.name,
          stage.from,
          `additional context ${stage.base} is a folder and cannot be a base image`,
        );
      }
      base = stateOfImage(await baseImage(context?.slice("docker-image://".length) ?? stage.base, stage.platform));
    }
    last = await executeStage(build, stage, base, counter);
    states.set(stage, last);
  }
  if (last === undefined) throw new Error("unreachable: a plan has at least one stage");
  warnUnusedArgs(build);
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
  build.progress({
    type: "build-export",
    image: build.image,
    imageId: info.id,
    names: info.tags,
    durationMs: performance.now() - exportedFrom,
  });
  build.progress({ type: "build-done", image: build.image, imageId: info.id });
  return info;
}

/** Of an image of nothing (`FROM scratch` alone), so that it is the same image every time. */
const EPOCH = "1970-01-01T00:00:00.000Z";

function openFolder(path: string): string {
  const refuse = (what: string, kind: ErrorKind, hint: string): never => {
    throw new TscError("TSC_BUILD_CONTEXT", `build context ${path} ${what}`, { kind, hint });
  };
  if (REMOTE.test(path)) {
    const hint = "git and http contexts are not supported: fetch it, and give the folder";
    return refuse("is not on this machine", "unsupported", hint);
  }
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") return refuse("leads through a file", "invalid-input", "give a folder");
    if (errnoOf(error) !== "ENOENT") throw error;
    const hint = path.includes("#")
      ? "a path is a folder as it stands: `#` and a branch belong to the address of a repository (https://…), which is not supported"
      : "make the folder, or correct the path";
    return refuse("does not exist", "not-found", hint);
  }
  return refuse("is not a folder", "invalid-input", "give the folder that holds the Dockerfile");
}

function platformArgs(target: { os: string; architecture: string; variant: string }): Record<string, string> {
  const host = hostPlatform();
  const set = (prefix: string, platform: typeof target): Record<string, string> => ({
    [`${prefix}PLATFORM`]: formatPlatform(platform),
    [`${prefix}OS`]: platform.os,
    [`${prefix}ARCH`]: platform.architecture,
    [`${prefix}VARIANT`]: platform.variant,
  });
  return { ...set("TARGET", target), ...set("BUILD", host) };
}

/** The state that an image is. */
export function stateOfImage(image: ImageInfo): StageState {
  return {
    config: image.config,
    diffIds: image.diffIds,
    chainId: chainIdOf(image.diffIds),
    history: image.history,
    createdAt: image.createdAt,
    author: "",
    architecture: image.architecture,
    os: image.os,
    variant: image.variant,
    args: {},
    hasCommand: false,
  };
}

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
