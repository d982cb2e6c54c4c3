/** Turns a folder or a tar into a stored layer with its digests. The digest is that of kernel.packLayer's tar, which push repeats. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { chainIdOf } from "../images/digest.js";
import type { StagedLayer } from "../storage/index.js";
import type { BuildDeps } from "./deps.js";
import type { StageState } from "./state.js";

export interface BuiltLayer {
  readonly diffId: string;
  readonly chainId: string;
  readonly sizeBytes: number;
}

/** Digest and size of a folder's layer tar. */
async function measure(deps: BuildDeps, path: string): Promise<{ diffId: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of deps.ctx.kernel.packLayer({ source: path, overlay: deps.storage.whiteouts !== "apply" })) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    hash.update(bytes);
    sizeBytes += bytes.length;
  }
  return { diffId: `sha256:${hash.digest("hex")}`, sizeBytes };
}

async function commit(deps: BuildDeps, state: StageState, staged: StagedLayer): Promise<BuiltLayer> {
  const { diffId, sizeBytes } = await measure(deps, staged.path);
  // a storage of whole trees has no differences to stack: each layer stands alone
  const parent = deps.storage.cumulative ? "" : state.chainId;
  const chainId = parent === "" ? diffId : chainIdOf2(parent, diffId);
  await staged.commit({ chainId, parent, diffId, sizeBytes, blobDigest: "" });
  return { diffId, chainId, sizeBytes };
}

function chainIdOf2(parent: string, diffId: string): string {
  return chainIdOf([parent, diffId]);
}

/** A layer made of a tar whose names are relative to the root. */
export async function layerFromTar(
  deps: BuildDeps,
  state: StageState,
  tar: Readable,
  signal: AbortSignal | undefined,
): Promise<BuiltLayer> {
  await using staged = await deps.storage.stageLayer(state.chainId);
  await deps.ctx.kernel.unpackLayer(
    {
      target: staged.path,
      whiteouts: deps.storage.whiteouts,
      squashOwners: deps.storage.squashOwners,
      input: tar,
      compression: "none",
    },
    signal,
  );
  return await commit(deps, state, staged);
}

/** A layer made of a container's changes; its rootfs must be unmounted and is of no use afterwards. */
export async function layerFromRootfs(deps: BuildDeps, state: StageState, rootfsId: string): Promise<BuiltLayer> {
  await using staged = await deps.storage.stageFolder(deps.storage.writableDir(rootfsId));
  return await commit(deps, state, staged);
}

/** Layers of a state with one more on top. */
export function stackLayer(deps: BuildDeps, state: StageState, layer: BuiltLayer): readonly string[] {
  return deps.storage.cumulative ? [layer.diffId] : [...state.diffIds, layer.diffId];
}
