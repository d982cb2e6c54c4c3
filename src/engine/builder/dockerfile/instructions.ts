/** The instructions of a Dockerfile as data. No behaviour. Words are as written: variables and quotes are still in them. */
import type { Heredoc } from "./lexer.js";

/** Where an instruction stands in its file. */
export interface Place {
  readonly line: number;
  /** The line as written. */
  readonly source: string;
}
interface Base extends Place {
  /** The instruction as written, continuations joined. */
  readonly text: string;
}

/** A command line: JSON form keeps its words, shell form is one text. */
export type CommandLine =
  | { readonly form: "exec"; readonly argv: readonly string[] }
  | { readonly form: "shell"; readonly script: string };

/** One `--mount` of RUN, as it is written. */
export interface RunMount {
  readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  readonly options: Readonly<Record<string, string>>;
}

/** FROM. */
export interface FromInstruction extends Base {
  readonly kind: "FROM";
  readonly base: string;
  readonly platform: string | undefined;
  readonly name: string | undefined;
}

/** RUN. */
export interface RunInstruction extends Base {
  readonly kind: "RUN";
  readonly command: CommandLine;
  readonly mounts: readonly RunMount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly heredocs: readonly Heredoc[];
}

/** COPY or ADD. */
export interface CopyInstruction extends Base {
  readonly kind: "COPY" | "ADD";
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly checksum: string | undefined;
  readonly unpack: boolean | undefined;
}

/** ENV or LABEL. */
export interface PairsInstruction extends Base {
  readonly kind: "ENV" | "LABEL";
  readonly pairs: readonly (readonly [string, string])[];
}

/** ARG. */
export interface ArgInstruction extends Base {
  readonly kind: "ARG";
  readonly names: readonly { readonly name: string; readonly value: string | undefined }[];
}
interface CommandInstruction extends Base {
  readonly kind: "CMD" | "ENTRYPOINT";
  readonly command: CommandLine;
}

/** EXPOSE or VOLUME. */
export interface WordsInstruction extends Base {
  readonly kind: "EXPOSE" | "VOLUME";
  readonly words: readonly string[];
}
interface WorkdirInstruction extends Base {
  readonly kind: "WORKDIR";
  readonly word: string;
}
interface WordInstruction extends Base {
  readonly kind: "USER" | "STOPSIGNAL" | "MAINTAINER";
  readonly word: string;
}
interface ShellInstruction extends Base {
  readonly kind: "SHELL";
  readonly argv: readonly string[];
}

/** HEALTHCHECK; durations are still text. */
export interface HealthcheckInstruction extends Base {
  readonly kind: "HEALTHCHECK";
  readonly test: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
}
interface OnBuildInstruction extends Base {
  readonly kind: "ONBUILD";
  /** The instruction to run later, as written. */
  readonly trigger: string;
}

/** One instruction of a Dockerfile, its words not expanded. */
export type Instruction =
  | FromInstruction
  | RunInstruction
  | CopyInstruction
  | PairsInstruction
  | ArgInstruction
  | CommandInstruction
  | WordsInstruction
  | WorkdirInstruction
  | WordInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnBuildInstruction;

/** The words that instructions begin with (Dockerfile reference). */
export const KEYWORDS = [
  "ADD",
  "ARG",
  "CMD",
  "COPY",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "FROM",
  "HEALTHCHECK",
  "LABEL",
  "MAINTAINER",
  "ONBUILD",
  "RUN",
  "SHELL",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
] as const;
