/**
 * COPY and ADD: sources to a layer tar. The tar names only paths whose folders were resolved inside the rootfs below, and is
 * unpacked by the confined helper into a fresh layer: nothing is ever written through a rootfs path.
 */
import { Readable } from "node:stream";
import { cacheKey, rootfsKey } from "../cache.js";
import type { StepScope } from "../deps.js";
import type { CopyInstruction } from "../dockerfile/instructions.js";
import { dockerfileError } from "../dockerfile/parse.js";
import { type BuiltLayer, layerFromTar } from "../layer.js";
import { type RootfsView, resolveOwner, UnknownOwnerError, viewRootfs } from "../rootfs-view.js";
import { addSources } from "./add.js";
import { type ChangeMode, parseMode } from "./chmod.js";
import { layoutTar } from "./layout.js";
import { placeIn } from "./place.js";
import { fingerprint, memoryItem, type SourceGroup, treeSources } from "./sources.js";

/** A COPY or ADD that is ready to run, with what identifies its result. */
export interface CopyPlan {
  readonly key: string;
  readonly createdBy: string;
  readonly run: () => Promise<BuiltLayer>;
}

/** Reads and hashes the sources; `run` makes the layer. */
export async function planCopy(scope: StepScope, instruction: CopyInstruction): Promise<CopyPlan> {
  const destination = scope.expand(instruction.destination);
  const sources = instruction.sources.map(scope.expand);
  const chown = instruction.chown === undefined ? undefined : scope.expand(instruction.chown);
  const chmod = instruction.chmod === undefined ? undefined : scope.expand(instruction.chmod);
  const changeMode = parseChmod(scope, instruction, chmod);

  const groups: SourceGroup[] = [];
  let identity: unknown;
  if (instruction.from !== undefined) {
    const { tree, chainId } = await scope.build.treeOf(instruction.from, scope.stage);
    for (const pattern of sources) {
      groups.push(...(await treeSources(scope, instruction, tree, pattern)).map(({ group }) => group));
    }
    // layers name their content: hashing it again would only cost time
    identity = chainId === "" ? await fingerprint(groups) : ["layers", chainId, sources];
  } else {
    for (const pattern of sources) {
      if (instruction.kind === "ADD") groups.push(...(await addSources(scope, instruction, pattern)));
      else {
        const found = await treeSources(scope, instruction, scope.build.context, pattern);
        groups.push(...found.map(({ group }) => group));
      }
    }
    for (const heredoc of instruction.heredocs) {
      const content = heredoc.expand ? scope.expandText(heredoc.content) : heredoc.content;
      const item = memoryItem(Buffer.from(content), 0o644);
      groups.push({ kind: "file", baseName: heredoc.name, item });
    }
    identity = await fingerprint(groups);
  }
  const needsFolder = groups.length > 1;
  if (needsFolder && !destination.endsWith("/") && destination !== "." && !instruction.parents) {
    throw dockerfileError(
      scope.file,
      instruction,
      `When using ${instruction.kind} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const target = placeIn(scope.state.config.workingDir, destination, (message) =>
    dockerfileError(scope.file, instruction, `${instruction.kind}: ${message}`),
  );
  const isFolderTarget = /(?:^|\/)\.?\.?$/.test(destination) || needsFolder || instruction.parents;
  const flags = [chown ?? "", chmod ?? "", instruction.link, instruction.parents, instruction.unpack ?? null];
  const key = cacheKey(instruction.kind, rootfsKey(scope.state), target, isFolderTarget, flags, identity);
  return {
    key,
    createdBy: `${instruction.kind} ${[...sources, ...instruction.heredocs.map((doc) => `<<${doc.name}`)].join(" ")} ${destination}`,
    run: async () => {
      await using view = await viewRootfs(scope.build.deps, scope.state);
      const owner = chown === undefined ? undefined : ownerOf(scope, instruction, view, chown);
      const problem = (message: string) => dockerfileError(scope.file, instruction, `${instruction.kind}: ${message}`);
      const options = { view, owner, changeMode, link: instruction.link, problem, target, isFolderTarget };
      const tar = Readable.from(layoutTar(groups, options), { objectMode: false });
      return await layerFromTar(scope.build.deps, scope.state, tar, scope.build.signal);
    },
  };
}

function ownerOf(scope: StepScope, instruction: CopyInstruction, view: RootfsView, chown: string) {
  try {
    return resolveOwner(view, chown);
  } catch (error) {
    if (error instanceof UnknownOwnerError) throw dockerfileError(scope.file, instruction, error.message);
    throw error;
  }
}

function parseChmod(scope: StepScope, instruction: CopyInstruction, text: string | undefined): ChangeMode | undefined {
  if (text === undefined) return undefined;
  const change = parseMode(text);
  if (change !== undefined) return change;
  throw dockerfileError(
    scope.file,
    instruction,
    `invalid chmod parameter: '${text}'. it should be octal or u=rwx,go=rx`,
  );
}
