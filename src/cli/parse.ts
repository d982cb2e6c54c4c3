/**
 * Turns words into options and arguments with commander, with the habits of docker's flag parser on top: `--flag=false`, `-n=10`,
 * flags whose name begins with `no-`, and its error texts. Knows no command.
 */
import { Command, Option } from "commander";
import { messageOf, TscError } from "../lib/errors.js";
import { goBoolean } from "../lib/go-boolean.js";
import { nearest } from "../lib/nearest.js";
import type { ArgumentSpec, OptionSpec, ParsedOptions } from "./command.js";

/** What words are read by: a command's flags and arguments, and how it is called. */
export interface ParseRequest {
  /** For messages: `tscompose ps`. */
  readonly path: string;
  readonly options: readonly OptionSpec[];
  readonly args: readonly ArgumentSpec[];
  readonly stopAtFirstArgument?: boolean;
}
/** A command line that fits its request: as many arguments as it allows, flags with their defaults. */
export interface Parsed {
  readonly args: readonly string[];
  readonly options: ParsedOptions;
}

/** Parses `words`; wrong flags and argument counts are `TSC_USAGE` (exit 1). `--help` wins over everything. */
export function parseWords(request: ParseRequest, words: readonly string[]): Parsed | "help" {
  const known = expandNegatable(request.options);
  const normal = normaliseWords(request, known, words);
  if (normal.help) return "help";
  const command = new Command("tscompose").exitOverride().helpOption(false).allowExcessArguments();
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  if (request.stopAtFirstArgument === true) command.passThroughOptions();
  command.argument("[words...]");
  const values = new Map<string, string | number | boolean | readonly string[]>();
  for (const spec of known) command.addOption(commanderOption(spec, values));
  try {
    command.parse([...normal.words], { from: "user" });
  } catch (error) {
    throw usageError(request, messageOf(error).replace(/^error: /, ""));
  }
  for (const [long, value] of normal.booleans) if (!values.has(long) || !value) values.set(long, value);
  foldNegatable(request.options, values);
  const args = command.args;
  checkArguments(request, args);
  return { args, options: readOptions(request.options, values) };
}

/** The error for wrong usage of a command: says what is wrong, what was `meant` perhaps, and where the usage is. */
export function usageError(request: Pick<ParseRequest, "path">, message: string, meant?: string): TscError {
  const help = `see '${request.path} --help'`;
  return new TscError("TSC_USAGE", message, {
    kind: "invalid-input",
    hint: meant === undefined ? help : `did you mean ${meant}? ${help}`,
  });
}

function flagLike(known: readonly OptionSpec[], written: string): string | undefined {
  const shown = known.filter(({ hidden }) => hidden !== true).map(({ long }) => long);
  const near = nearest(written, shown);
  return near === undefined ? undefined : `--${near}`;
}

function expandNegatable(options: readonly OptionSpec[]): readonly OptionSpec[] {
  return options.flatMap((option) =>
    option.negatable === true ? [option, { long: `no-${option.long}`, help: "" }] : [option],
  );
}

function foldNegatable(options: readonly OptionSpec[], values: Map<string, unknown>): void {
  for (const { long, negatable } of options) {
    if (negatable === true && values.get(`no-${long}`) === true) values.set(long, false);
  }
}

function commanderOption(spec: OptionSpec, values: Map<string, string | number | boolean | readonly string[]>): Option {
  const flags = `${spec.short === undefined ? "" : `-${spec.short}, `}--${spec.long}${spec.value === undefined ? "" : " <value>"}`;
  const option = new Option(flags, spec.help);
  // commander would read `--no-x` as "x is false"; here it is a flag of its own
  option.negate = false;
  option.argParser((value: string) => {
    values.set(spec.long, convert(spec, value, values.get(spec.long)));
    return value;
  });
  if (spec.value === undefined) option.preset("true");
  return option;
}

function convert(
  spec: OptionSpec,
  value: string,
  previous: string | number | boolean | readonly string[] | undefined,
): string | number | boolean | readonly string[] {
  const before = Array.isArray(previous) ? previous : [];
  if (spec.value === undefined) return true;
  switch (spec.value) {
    case "list":
      return [...before, value];
    case "csv":
      return [...before, ...value.split(",")];
    case "int":
      if (!/^[+-]?\d{1,15}$/.test(value)) {
        throw new Error(`invalid argument "${value}" for ${flagName(spec)} flag: not a whole number`);
      }
      return Number(value);
    case "string":
      if (spec.choices !== undefined && !spec.choices.includes(value)) {
        throw new Error(`invalid value for --${spec.long}: "${value}" is none of ${spec.choices.join(", ")}`);
      }
      return value;
  }
}

function flagName(spec: OptionSpec): string {
  return spec.short === undefined ? `"--${spec.long}"` : `"-${spec.short}, --${spec.long}"`;
}

interface Normalised {
  readonly words: readonly string[];
  /** Booleans given as `--flag=…`. */
  readonly booleans: ReadonlyMap<string, boolean>;
  readonly help: boolean;
}

function booleanOf(request: ParseRequest, option: OptionSpec, text: string): boolean {
  const value = goBoolean(text);
  if (value !== undefined) return value;
  throw usageError(request, `invalid argument "${text}" for ${flagName(option)} flag: not true or false`);
}

function normaliseWords(request: ParseRequest, known: readonly OptionSpec[], words: readonly string[]): Normalised {
  const byLong = new Map(
    known.flatMap((option) => [option.long, ...(option.synonyms ?? [])].map((name) => [name, option])),
  );
  const byShort = new Map(
    known.flatMap((option) => (option.short === undefined ? [] : [[option.short, option] as const])),
  );
  const out: string[] = [];
  const booleans = new Map<string, boolean>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--" || word === "-" || !word.startsWith("-")) {
      out.push(word);
      if (word === "--" || (request.stopAtFirstArgument === true && word !== "-")) {
        // commander drops a leading `--`; what follows belongs to the caller as it is
        out.push(...words.slice(i + 1));
        break;
      }
      continue;
    }
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const written = equals < 0 ? word.slice(2) : word.slice(2, equals);
      const long = byLong.has(written) ? written : written.toLowerCase();
      const option = byLong.get(long);
      if (option === undefined) {
        if (long === "help") return { words: out, booleans, help: true };
        throw usageError(request, `unknown flag: --${written}`, flagLike(known, written));
      }
      if (option.value === undefined && equals >= 0) {
        booleans.set(option.long, booleanOf(request, option, word.slice(equals + 1)));
      } else if (option.value !== undefined && equals < 0) {
        i++;
        if (i >= words.length) throw usageError(request, `flag needs an argument: --${long}`);
        out.push(`--${option.long}=${words[i] ?? ""}`);
      } else {
        out.push(`--${option.long}${equals < 0 ? "" : word.slice(equals)}`);
      }
      continue;
    }
    // a group of one-letter flags; the first one with a value takes the rest
    for (let j = 1; j < word.length; j++) {
      const letter = word[j] ?? "";
      const option = byShort.get(letter);
      if (option === undefined) {
        if (letter === "h") return { words: out, booleans, help: true };
        throw usageError(request, `unknown shorthand flag: '${letter}' in ${word}`);
      }
      if (option.value === undefined) {
        if (word[j + 1] === "=") {
          // `-i=false`
          booleans.set(option.long, booleanOf(request, option, word.slice(j + 2)));
          break;
        }
        out.push(`--${option.long}`);
        continue;
      }
      let value = word.slice(j + 1).replace(/^=/, "");
      if (j + 1 >= word.length) {
        i++;
        if (i >= words.length) throw usageError(request, `flag needs an argument: '${letter}' in ${word}`);
        value = words[i] ?? "";
      }
      out.push(`--${option.long}=${value}`);
      break;
    }
  }
  return { words: out, booleans, help: false };
}

function checkArguments(request: ParseRequest, args: readonly string[]): void {
  const required = request.args.filter((argument) => argument.required === true);
  const unlimited = request.args.some((argument) => argument.variadic === true);
  if (args.length < required.length) {
    const missing = required[args.length];
    throw usageError(
      request,
      `'${request.path}' requires ${unlimited ? "at least " : ""}${required.length} ` +
        `argument${required.length === 1 ? "" : "s"}: ${missing?.name ?? ""} is missing`,
    );
  }
  if (!unlimited && args.length > request.args.length) {
    const most = request.args.length;
    throw usageError(
      request,
      `'${request.path}' accepts ${most === 0 ? "no arguments" : `at most ${most} argument${most === 1 ? "" : "s"}`}: ` +
        `"${args[most] ?? ""}" is one too many`,
    );
  }
}

function readOptions(specs: readonly OptionSpec[], values: ReadonlyMap<string, unknown>): ParsedOptions {
  const byLong = new Map(specs.map((spec) => [spec.long, spec]));
  function spec(long: string): OptionSpec {
    const found = byLong.get(long);
    if (found === undefined) throw new Error(`option "${long}" is not declared by this command`);
    return found;
  }
  function value(long: string): unknown {
    return values.get(long) ?? spec(long).default;
  }
  return {
    flag: (long) => value(long) === true,
    text: (long) => {
      const found = value(long);
      return typeof found === "string" ? found : undefined;
    },
    number: (long) => {
      const found = value(long);
      return typeof found === "number" ? found : undefined;
    },
    list: (long) => {
      const found = value(long);
      return Array.isArray(found) ? found.map(String) : [];
    },
    given: (long) => {
      spec(long);
      return values.has(long);
    },
  };
}
