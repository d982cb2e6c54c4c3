/** Turns a tar or a container's changes into a stored layer. Digests are the images part's, so that a later push repeats them. */
import type { Readable } from "node:stream";
import type { BuildDeps } from "./deps.js";
import type { StageState } from "./state.js";

/** A layer that a step has made. */
export interface BuiltLayer {
  readonly diffId: string;
  readonly chainId: string;
  readonly sizeBytes: number;
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
  return await deps.images.commitLayer({ source: staged.path, parent: state.chainId, mode: "move" });
}

/** A layer made of a rootfs's changes; it must be unmounted and is of no use afterwards. */
export async function layerFromRootfs(deps: BuildDeps, state: StageState, rootfsId: string): Promise<BuiltLayer> {
  const source = deps.storage.writableDir(rootfsId);
  return await deps.images.commitLayer({ source, parent: state.chainId, mode: "move" });
}

/** The state with one more layer. A storage of whole trees has no differences to stack: each layer stands alone. */
export function withLayer(deps: BuildDeps, state: StageState, layer: { diffId: string; chainId: string }): StageState {
  const diffIds = deps.storage.cumulative ? [layer.diffId] : [...state.diffIds, layer.diffId];
  return { ...state, diffIds, chainId: layer.chainId };
}
