/** What a build request means: its context, its Dockerfile, and the stages that are to be built. */
import type { Kernel } from "../../kernel/kernel.js";
import type { BuildRequest } from "../api.js";
import { formatPlatform, hostPlatform, parsePlatform } from "../images/index.js";
import { type ParsedDockerfile, parseDockerfile } from "./dockerfile/parse.js";
import { type DockerfileSource, readDockerfile } from "./dockerfile-source.js";
import { checkEntitlements, stepNetwork } from "./entitlements.js";
import { openFolder } from "./folder.js";
import { planStages, type StagePlan } from "./stages.js";

/** Reads the Dockerfile and resolves its stages as a build would, without running anything. The errors are those of `buildImage`. */
export function checkBuild(kernel: Kernel, request: BuildRequest): { readonly file: string; readonly stages: number } {
  const { source, plan } = readPlan(kernel, request);
  return { file: source.name, stages: plan.stages.length };
}

/** A request that has been read. */
export interface BuildPlan {
  readonly contextRoot: string;
  readonly source: DockerfileSource;
  readonly parsed: ParsedDockerfile;
  /** Additional contexts, by their names in small letters. */
  readonly contexts: ReadonlyMap<string, string>;
  readonly plan: StagePlan;
}

/** Reads Dockerfile and context folder, and plans the stages. `TSC_DOCKERFILE`, `TSC_BUILD_CONTEXT`, `TSC_BUILD_UNSUPPORTED`. */
export function readPlan(kernel: Kernel, request: BuildRequest): BuildPlan {
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
