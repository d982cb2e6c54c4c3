/** The public face of the compose loader: `tscompose/compose`. Everything else in this folder is private to it. */

export type { DependencyGraph, GraphEdge, GraphNode } from "./graph.js";
export { dependencyGraph } from "./graph.js";
export { variablesOf } from "./interpolate.js";
export type { LoadedModel } from "./load.js";
export { loadModel, loadProject } from "./load.js";
export type * from "./model.js";
export type { ComposeFs, LoadOptions, RemoteLoader } from "./options.js";
export { toConfigJson, toConfigObject, toConfigYaml, treeYaml } from "./output.js";
export { enableServices, selectServices, withProfiles } from "./select.js";
