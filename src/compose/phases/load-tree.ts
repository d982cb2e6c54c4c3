/** All files of one project (or of one include) to one canonical tree: merged, defaulted, validated, paths resolved. */

import { Problems } from "../problems.js";
import type { TreeMap } from "../tree.js";
import { newMap } from "../tree.js";
import { setDefaults } from "./defaults.js";
import { loadFile } from "./load-file.js";
import type { LoadState, SourceFile, TreeOptions } from "./load-state.js";
import { resolveEnvironment } from "./normalize.js";
import { resolvePaths } from "./paths.js";
import { validate } from "./validate.js";

/** Loads and merges the files in order. */
export async function loadTree(files: readonly SourceFile[], state: LoadState, options: TreeOptions): Promise<TreeMap> {
  let tree = newMap();
  for (const file of files) tree = (await loadFile(file, tree, state)).tree;
  setDefaults(tree);
  validate(tree, state.files);
  if (options.resolvePaths) {
    const problems = new Problems(state.files);
    problems.guard([], () =>
      resolvePaths(tree, {
        base: options.base ?? state.workingDir,
        home: state.home,
        fs: state.fs,
        remotes: state.remotes,
      }),
    );
    problems.throw();
  }
  return resolveEnvironment(tree, state.environment);
}
