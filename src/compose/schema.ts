import type { YamlFile } from "./yaml.js";
import type { TreeMap } from "./tree.js";
export function validateSchema(_tree: TreeMap, _file: string, _files: readonly YamlFile[]): void {}
