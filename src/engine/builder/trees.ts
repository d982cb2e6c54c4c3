/** What `--from=NAME` means: a folder of the request, an earlier stage, or an image. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { TscError } from "../../lib/errors.js";
import type { BuildRequest } from "../api.js";
import { chainIdOf } from "../images/index.js";
import { baseImage } from "./base-image.js";
import { openContext } from "./context.js";
import type { Build, BuildDeps, NamedTree } from "./deps.js";
import { dockerfileError } from "./dockerfile/parse.js";
import { IGNORE_NOTHING } from "./dockerignore.js";
import { openFolder, REMOTE } from "./folder.js";
import type { BuildPlan } from "./read-request.js";
import { type Stage, stageNamed } from "./stages.js";
import type { StageState } from "./state.js";

interface TreeRequest {
  readonly deps: BuildDeps;
  readonly request: BuildRequest;
  readonly read: BuildPlan;
  /** Stages that are built. */
  readonly states: ReadonlyMap<Stage, StageState>;
  /** What stays mounted until the build ends. */
  readonly mounted: AsyncDisposableStack;
}

const IMAGE = "docker-image://";

/** The image that a name means with its additional context, if any; undefined when that is a folder. */
export function imageOfContext(context: string | undefined, name: string): string | undefined {
  if (context === undefined) return name;
  return context.startsWith(IMAGE) ? context.slice(IMAGE.length) : undefined;
}

/** Finds each tree once for each stage. `TSC_BUILD_UNSUPPORTED`, `TSC_BUILD_EMPTY`, `TSC_DOCKERFILE`, and errors of folders and pulls. */
export function treesOf(request: TreeRequest): Build["treeOf"] {
  const trees = new Map<string, Promise<NamedTree>>();
  return (name, stage) => {
    const id = `${stage.index}\0${name}`;
    const tree = trees.get(id) ?? openTree(request, name, stage);
    trees.set(id, tree);
    return tree;
  };
}

async function openTree(of: TreeRequest, name: string, stage: Stage): Promise<NamedTree> {
  const { deps, request, read, states, mounted } = of;
  const { contexts, contextRoot, plan, source } = read;
  const context = contexts.get(name.toLowerCase());
  const image = imageOfContext(context, name);
  if (context !== undefined && image === undefined) {
    if (REMOTE.test(context)) {
      throw new TscError("TSC_BUILD_UNSUPPORTED", `additional context ${name}: ${context} is not supported`, {
        kind: "unsupported",
        hint: "give a folder or docker-image://NAME",
      });
    }
    return { tree: openContext(deps.ctx.kernel, openFolder(resolve(contextRoot, context))), chainId: "" };
  }
  const other = context === undefined ? stageNamed(plan.all, name, stage.index, true) : undefined;
  const state = other === undefined ? undefined : states.get(other);
  if (other !== undefined && state === undefined) throw new Error(`unreachable: stage ${name} was not built`);
  if (context === undefined && other === undefined && /^\d+$/.test(name)) {
    throw dockerfileError(source.name, stage.from, `invalid from flag value ${name}: no such stage before this one`);
  }
  const chainId =
    state?.chainId ?? chainIdOf((await baseImage(deps.images, request, image ?? name, stage.platform)).diffIds);
  if (chainId === "") {
    throw new TscError("TSC_BUILD_EMPTY", `${source.name}: ${name} has no files to copy`, { kind: "invalid-input" });
  }
  const view = mounted.use(await deps.storage.viewImage(chainId));
  return { tree: { root: realpathSync(view.path), ignore: IGNORE_NOTHING, keepsOwners: true }, chainId };
}
