/** A loaded but untyped model: what `config --no-interpolate` prints, and what is bound to types. Types only. */
import type { LoadWarning, StringMap } from "../model.js";
import type { TreeMap } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";

/** The normalized tree of a project and how it was found. */
export interface LoadedModel {
  readonly tree: TreeMap;
  readonly name: string;
  readonly workingDir: string;
  readonly configFiles: readonly string[];
  readonly envFiles: readonly string[];
  readonly environment: StringMap;
  readonly profiles: readonly string[];
  readonly warnings: readonly LoadWarning[];
  readonly files: readonly YamlFile[];
  /** Tells a warning once, and keeps it in `warnings`. */
  readonly warn: (warning: LoadWarning) => void;
}
