/** Loads projects from texts, for tests of the loader and of what works on a loaded project. */
import type { LoadOptions, Project } from "../../../src/compose/index.js";
import { loadProject } from "../../../src/compose/index.js";
import { treeFs } from "../../conformance/support/tree-fs.js";

/** A project of files in /proj/app; `compose.yaml` is found unless `options.files` names others. */
export function load(
  files: Readonly<Record<string, string>> | string,
  options: Partial<LoadOptions> = {},
): Promise<Project> {
  const texts = typeof files === "string" ? { "compose.yaml": files } : files;
  const absolute = Object.fromEntries(
    Object.entries(texts).map(([path, text]) => [path.startsWith("/") ? path : `/proj/app/${path}`, text]),
  );
  return loadProject({ cwd: "/proj/app", env: { HOME: "/home/u" }, fs: treeFs(absolute), ...options });
}
