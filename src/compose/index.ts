/** The public face of the compose loader: `tscompose/compose`. Everything else in this folder is private to it. */
export type * from "./model.js";
export type { ComposeFs, LoadOptions, RemoteLoader } from "./options.js";
export { loadProject, loadModel } from "./load.js";
export type { LoadedModel } from "./load.js";
export { dependencyGraph } from "./graph.js";
export type { DependencyGraph, GraphEdge, GraphNode } from "./graph.js";
export { toConfigJson, toConfigObject, toConfigYaml } from "./output.js";
export { enableServices, selectServices, withProfiles } from "./select.js";
export { treeYaml } from "./output.js";
export { variablesOf } from "./interpolate.js";
