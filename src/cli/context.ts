/**
 * What a command may use: its surroundings, the global options and the lazily opened parts. Interfaces only; `open-context.ts`
 * makes the real one. Nothing below main.ts reads the process itself.
 */
import type { Project } from "../compose/index.js";
import type { Engine } from "../engine/index.js";
import type { Printed } from "./render/printed.js";
import type { Progress } from "./render/progress.js";

/** `--ansi`, or COMPOSE_ANSI: whether escape sequences are printed; `auto` leaves it to the stream and NO_COLOR. */
export type AnsiMode = "auto" | "never" | "always";
/** `--progress`, or COMPOSE_PROGRESS: the renderer of progress; `auto` leaves it to the stream (render/open-progress.ts). */
export type ProgressMode = "auto" | "tty" | "plain" | "json" | "quiet";

/** Options before the command; Environment variables are already applied. */
export interface GlobalOptions {
  readonly files: readonly string[];
  readonly projectName: string | undefined;
  readonly projectDirectory: string | undefined;
  readonly profiles: readonly string[];
  readonly envFiles: readonly string[];
  readonly allResources: boolean;
  readonly compatibility: boolean;
  readonly dryRun: boolean;
  readonly ansi: AnsiMode;
  readonly progress: ProgressMode;
  /** Concurrent operations; -1 is without limit. From --parallel or COMPOSE_PARALLEL_LIMIT. */
  readonly parallel: number;
  readonly verbose: boolean;
  /** Called as `docker-compose`. */
  readonly shim: boolean;
}

/** Which part of the project a command needs; without any the whole of it, its profiles as they are switched on. */
export interface ProjectRequest {
  /** Only these services and their dependencies; their profiles are switched on. */
  readonly services?: readonly string[];
  readonly noDependencies?: boolean;
  readonly allProfiles?: boolean;
  /** Service environments are not wanted: `env_file`s stay unread, so that one that is missing stops only who makes containers. */
  readonly noEnvResolution?: boolean;
  /** Reads the files again instead of answering from memory. */
  readonly fresh?: boolean;
}

/** One run of the program, as commands see it; project, engine and standard input are opened when they are first asked for. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  /** For what a container writes, and archives: these bytes are not ours. Whatever else is told goes through `print`, `note` and `warn`. */
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly isTty: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly globals: GlobalOptions;
  /** Aborted by the first SIGINT/SIGTERM (unless an `onInterrupt` listener takes over); the second one ends the process. */
  readonly signal: AbortSignal;
  /**
   * Takes over SIGINT/SIGTERM/SIGHUP until the returned function is called: `signal` is not aborted, the second interrupt does not
   * exit. `count` starts at 1.
   */
  onInterrupt(listener: (name: NodeJS.Signals, count: number) => void): () => void;
  /** Loads the project; the same request is answered from memory. Warnings are printed once. */
  project(request?: ProjectRequest): Promise<Project>;
  /**
   * The project's name and the project as its files say. With `-p` and without `-f` no file is read, with COMPOSE_PROJECT_NAME a missing or
   * broken one is no error: commands then work from labels (docker compose's rule). For commands that make no containers: `env_file`s are not
   * read.
   */
  projectOrName(request?: ProjectRequest): Promise<{ readonly name: string; readonly project: Project | undefined }>;
  /** Opens the engine once; closed by the program at the end. */
  engine(): Promise<Engine>;
  /**
   * A renderer fed with execute's events; call `end()` (it restores the terminal) before printing results. `besideLogs`: containers'
   * output is being printed meanwhile, so the renderer keeps to lines. `beforeResult`: stdout is for a result, so the log of a build is not
   * written there.
   */
  progress(options?: { readonly besideLogs?: boolean; readonly beforeResult?: boolean }): Promise<Progress>;
  /** One line on stderr, once per text. */
  warn(message: string): void;
  /** Results only: to stdout, as given. */
  print(text: Printed): void;
  /** Status text on stderr, as given; nothing in quiet mode. */
  note(text: Printed): void;
  /**
   * Asks on the terminal, or reads a line of a pipe; no answer is `fallback`. `besideResults`: on stdout, where what is asked about stands,
   * and a pipe without an answer says no.
   */
  confirm(question: Printed, fallback: boolean, options?: { readonly besideResults?: boolean }): Promise<boolean>;
}
