/** WORKDIR: the configuration, and the folder when it is missing. */
import { Readable } from "node:stream";
import type { StepScope } from "../deps.js";
import { dockerfileError } from "../dockerfile/parse.js";
import { type BuiltLayer, layerFromTar } from "../layer.js";
import { viewRootfs } from "../rootfs-view.js";
import { layoutTar } from "./layout.js";
import { placeIn } from "./place.js";
import { memoryItem } from "./sources.js";

/** The new working folder: relative ones continue the last. */
export function workdirOf(scope: StepScope, word: string): string {
  const path = scope.expand(word);
  if (path === "") throw dockerfileError(scope.file, scope.place, "WORKDIR: the path is empty");
  return placeIn(scope.state.config.workingDir, path, (message) =>
    dockerfileError(scope.file, scope.place, `WORKDIR: ${message}`),
  );
}

/** A layer with the folder, root's and 0755; undefined when it is there already. */
export async function makeWorkdir(scope: StepScope, path: string): Promise<BuiltLayer | undefined> {
  await using view = await viewRootfs(scope.build.deps, scope.state);
  const name = view.canonical(path);
  const stat = view.stat(name);
  if (name === "" || stat?.isDirectory() === true) return undefined;
  if (stat !== undefined) throw dockerfileError(scope.file, scope.place, `WORKDIR: ${path} is not a folder`);
  const folder = { ...memoryItem(Buffer.alloc(0), 0o755), type: "directory" as const, digest: async () => "" };
  const options = {
    view,
    owner: undefined,
    changeMode: undefined,
    link: false,
    problem: (message: string) => dockerfileError(scope.file, scope.place, `WORKDIR: ${message}`),
    target: path,
    isFolderTarget: false,
  };
  const tar = Readable.from(layoutTar([{ kind: "folder", items: [folder] }], options), { objectMode: false });
  return await layerFromTar(scope.build.deps, scope.state, tar, scope.build.signal);
}
