/** Talking with a process in a container, and reading what it wrote. */

/** A program to run in a container. */
export interface ExecSpec {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly tty?: boolean;
  /** Keep stdin open for the process. */
  readonly stdin?: boolean;
  readonly privileged?: boolean;
  readonly detach?: boolean;
  readonly size?: { readonly rows: number; readonly columns: number };
}

/** A live connection to a container's or an exec's stdio. Output must be consumed or the container stalls. */
export interface StdioSession extends AsyncDisposable {
  readonly output: AsyncIterable<{ readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }>;
  /** Resolves once the bytes are accepted (back-pressure). */
  write(data: Uint8Array): Promise<void>;
  endInput(): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
  /** For exec: the exit code. For attach: the container's exit code; never rejects because of a detach (`undefined`). */
  readonly exit: Promise<number | undefined>;
  /** Leave without ending the process. */
  detach(): Promise<void>;
}

/** A line that a container wrote. */
export interface LogLine {
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  /** Without the line end. */
  readonly text: string;
  /** The process has not ended this line yet. */
  readonly partial: boolean;
}

/** Which lines of a log; times are what docker takes. */
export interface LogOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly since?: string;
  readonly until?: string;
  readonly signal?: AbortSignal;
}
