/**
 * How a command is declared: name, flags, arguments, an example and its `run`. One file per command under
 * commands/ exports one `CommandSpec`; table.ts names the file. Plain data; parsing is in parse.ts.
 *
 *     export const command: CommandSpec = {
 *       name: "port", summary: "Print the public port for a port binding", example: "tscompose port web 80",
 *       args: [{ name: "SERVICE", required: true, complete: "service" }, { name: "PRIVATE_PORT", required: true }],
 *       options: [{ long: "protocol", value: "string", default: "tcp", help: "tcp or udp" }],
 *       run: async (ctx, args, options) => { ctx.print(`${options.text("protocol")}\n`); return 0; },
 *     };
 *
 * Keep the module light: import heavy parts inside `run` (`await import(…)`).
 */
import type { CliContext } from "./context.js";

/** The kind of an option's value: `list` keeps every occurrence, `csv` also splits each at commas. */
type ValueKind = "string" | "int" | "list" | "csv";

/** What shell completion offers for a value or an argument. */
export type Completion =
  | "service"
  /** `SERVICE=`, a number follows. */
  | "service-scale"
  /** `SERVICE:`, a path follows; or a local path. */
  | "service-path"
  | "container"
  | "project"
  | "profile"
  | "image"
  | "network"
  | "volume"
  | "signal"
  | "state"
  | "file"
  | "directory";

/** A flag: parsing, help and completion read it from here. */
export interface OptionSpec {
  /** Without dashes: `no-log-prefix`. Options are read back by this name. */
  readonly long: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Other spellings that docker takes and does not show. */
  readonly synonyms?: readonly string[];
  /** Absent for a boolean, which also accepts `--flag=true|false`. */
  readonly value?: ValueKind;
  /** Word shown for the value in help; by default the kind. */
  readonly placeholder?: string;
  readonly default?: string | number | boolean;
  readonly hidden?: boolean;
  /** A boolean that also takes `--no-LONG`. */
  readonly negatable?: boolean;
  /** The only accepted values. */
  readonly choices?: readonly string[];
  readonly complete?: Completion;
  readonly help: string;
}

/** A positional argument, in the order of the command line. */
export interface ArgumentSpec {
  /** Upper case, as in usage lines. */
  readonly name: string;
  readonly required?: boolean;
  /** Takes all the rest; only on the last one. */
  readonly variadic?: boolean;
  readonly complete?: Completion;
}

/** The options of one call; asking for a name that the command does not declare is a programmer's error. */
export interface ParsedOptions {
  /** A boolean. */
  flag(long: string): boolean;
  /** A string value or its default. */
  text(long: string): string | undefined;
  /** Every occurrence of a `list` or `csv` option; empty when absent. */
  list(long: string): readonly string[];
  /** An `int` value or its default. */
  number(long: string): number | undefined;
  /** True when it was on the command line. */
  given(long: string): boolean;
}

/** A command by name, with where its declaration is loaded from. */
export interface TableEntry {
  /** One word, or `noun verb`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  readonly load: () => Promise<{ readonly command: CommandSpec }>;
}

/** Every command, for the few commands that speak of all: handed to them, since the table names them too. */
export interface CommandTable {
  readonly entries: readonly TableEntry[];
  /** Every declared command in table order. */
  loadAll(): Promise<readonly CommandSpec[]>;
  /** The command that `words` begin with, and how many of them name it. */
  find(words: readonly string[]): { readonly entry: TableEntry; readonly consumed: number } | undefined;
}

/** A whole command. `run` gets words that have passed the parser: flags that are declared, as many arguments as there may be. */
export interface CommandSpec {
  /** One word, or `noun verb`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line, docker's wording where docker has the command. */
  readonly summary: string;
  /** A whole command line a person can type. */
  readonly example: string;
  readonly hidden?: boolean;
  /** Of one word and not compose's: help shows it among the engine's. */
  readonly engine?: boolean;
  readonly options: readonly OptionSpec[];
  readonly args: readonly ArgumentSpec[];
  /** Everything after the first argument belongs to the command in the container (`exec`, `run`). */
  readonly stopAtFirstArgument?: boolean;
  /** The exit code. Errors are thrown; results go through `ctx.print`. */
  readonly run: (ctx: CliContext, args: readonly string[], options: ParsedOptions) => Promise<number>;
}
