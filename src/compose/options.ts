/** What the loader asks of its caller: options and the two ports through which all its input comes. No behaviour. */
import type { LoadWarning } from "./model.js";

/** File access of the loader. Paths are absolute. Errors keep their errno `code` (`ENOENT`). */
export interface ComposeFs {
  /**
   * Text of a file, or undefined when there is none; throws TSC_COMPOSE_FILE_TOO_LARGE past 64 MiB. As `yaml` it may be UTF-16, and bytes
   * that are no text throw TSC_COMPOSE_YAML; else they are replaced.
   */
  readFile(path: string, as?: "yaml"): string | undefined;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** The path with its symbolic links followed, or undefined when it does not exist. */
  realpath(path: string): string | undefined;
  /** Text of standard input (`-f -`). */
  readStdin(): string;
}

/** Brings a remote compose file (git URL, `oci://…`) onto this machine. */
export interface RemoteLoader {
  /** True when `reference` is one this loader understands; must be cheap and do no I/O. */
  accepts(reference: string): boolean;
  /**
   * Downloads (or finds in the cache) and returns the absolute path of the compose file; its folder is the base of its relative paths.
   * What the file names is read only inside `folder`, the whole of what was fetched (the file's own folder when absent).
   * `original` is a copy of that folder as it was fetched, which no container is given: what is read comes from there.
   */
  load(reference: string): Promise<{
    readonly path: string;
    readonly digest?: string;
    readonly folder?: string;
    readonly original?: string;
  }>;
}

/** Everything that decides what a project is. Nothing is read from the process itself. */
export interface LoadOptions {
  /** `-f` values in order, `-` is standard input; empty: COMPOSE_FILE, then discovery from `cwd` upwards. */
  readonly files?: readonly string[];
  readonly projectDirectory?: string;
  /** `-p`; must already be a valid name. */
  readonly projectName?: string;
  /** `--profile` values; with COMPOSE_PROFILES when none is given. */
  readonly profiles?: readonly string[];
  /** `--env-file` values; when given the default `.env` is not read. */
  readonly envFiles?: readonly string[];
  /** The process environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Select these services and their dependencies; empty selects all. Targeting a service activates its profiles. */
  readonly services?: readonly string[];
  /** Keep what no active service uses. */
  readonly allResources?: boolean;
  /** Turn every profile on. */
  readonly allProfiles?: boolean;
  /** Skip the dependencies of `services`. */
  readonly noDependencies?: boolean;
  /** Port to the file system; the real one when absent. */
  readonly fs?: ComposeFs;
  readonly remotes?: readonly RemoteLoader[];
  readonly warn?: (warning: LoadWarning) => void;
  readonly noInterpolate?: boolean;
  readonly noNormalize?: boolean;
  readonly noPathResolution?: boolean;
  readonly noConsistency?: boolean;
  readonly noEnvResolution?: boolean;
  /** Two services may claim one container name: the caller makes no containers. */
  readonly sharedNames?: boolean;
  /** `_` instead of `-` in container names is the caller's business; here it only silences nothing. */
  readonly compatibility?: boolean;
}
