/** The public face of the compose loader: `tscompose/compose`. Everything else in this folder is private to it. */

export type { ErrorKind, SourcePlace } from "../lib/errors.js";
export { isTscError, TscError, TscErrorList } from "../lib/errors.js";
export type { CheckContext, Complaint, Finding, Level, Rule } from "./check/index.js";
export { checkProject, LEVELS, RULES } from "./check/index.js";
export { loadModel, loadProject } from "./load.js";
export type * from "./model.js";
export { nodeFs } from "./node-fs.js";
export type { ComposeFs, LoadOptions, RemoteLoader } from "./options.js";
export { variablesOf } from "./phases/interpolate.js";
export type { LoadedModel } from "./phases/loaded-model.js";
export { enableServices, selectServices, withProfiles } from "./phases/select.js";
export { lockTree, pinTree } from "./pin.js";
export { toConfigJson, toConfigObject, toConfigYaml, toModelText, toServicesText, treeYaml } from "./print/output.js";
export type { DependencyGraph, GraphEdge, GraphNode, ResourceKind } from "./resource-graph.js";
export { dependencyGraph, RESOURCE_KINDS } from "./resource-graph.js";
