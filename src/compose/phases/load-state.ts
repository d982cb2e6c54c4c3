/** What loading one file, several, and what they name have in common. Types only: who loads is passed in, since files name files. */
import type { LoadWarning, StringMap } from "../model.js";
import type { ComposeFs, RemoteLoader } from "../options.js";
import type { Path, TreeMap } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";

/** What the phases of one project share. */
export interface LoadState {
  readonly environment: StringMap;
  /** Where relative paths of this project start; absolute. */
  readonly workingDir: string;
  readonly home: string | undefined;
  readonly fs: ComposeFs;
  readonly remotes: readonly RemoteLoader[];
  readonly warn: (warning: LoadWarning) => void;
  readonly interpolate: boolean;
  readonly validate: boolean;
  /** The project's name, for files that say only `name: ${COMPOSE_PROJECT_NAME}`. */
  readonly projectName: string;
  /** Every file read, for places in messages. */
  readonly files: YamlFile[];
  /** Parsed texts by path: `extends` reads the same file many times. */
  readonly texts: Map<string, string>;
  /** Files that were parsed for the project's name and not loaded yet, by path. */
  readonly parsed: Map<string, YamlFile>;
  /** The fetched folder that what a remote file names must not leave; undefined for files of this machine. */
  readonly root?: string | undefined;
  /** Files that are being included, outermost first. */
  readonly included: readonly string[];
  /** How a file that another names is loaded. */
  readonly loadFile: LoadFile;
  /** How files that another includes are loaded. */
  readonly loadTree: LoadTree;
}

/** Which phases a caller leaves out. */
export interface FilePhases {
  readonly skipExtends?: boolean;
  readonly skipInclude?: boolean;
  readonly skipValidation?: boolean;
}

/** A file to load: read from its path unless `text` is given. */
export interface SourceFile {
  readonly path: string;
  readonly text?: string;
  /** Where another file names it. */
  readonly namedAt?: Path;
  /** Of a remote file, or one that a remote file names: the folder it came with. */
  readonly root?: string | undefined;
}

/** Loads a file onto `tree`; the merged tree and the paths it resets. */
type LoadFile = (
  file: SourceFile,
  onto: TreeMap,
  around: LoadState,
  phases?: FilePhases,
) => Promise<{ readonly tree: TreeMap; readonly resets: readonly Path[] }>;

/** Where the paths of loaded files are to start. */
export interface TreeOptions {
  readonly resolvePaths: boolean;
  /** What relative paths become relative to; the state's folder when absent. */
  readonly base?: string;
}

/** Loads and merges the files in order. */
type LoadTree = (files: readonly SourceFile[], state: LoadState, options: TreeOptions) => Promise<TreeMap>;
