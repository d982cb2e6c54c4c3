/** One run of the program: finds the command, parses, runs it, turns errors into text and an exit code. Reads nothing of the process. */
import { resolve } from "node:path";
import { isTscError } from "../lib/errors.js";
import type { CommandSpec } from "./command.js";
import type { GlobalOptions } from "./context.js";
import { refuseDryRun } from "./dry-run.js";
import { EXIT_CANCELLED, EXIT_ERROR, EXIT_OK } from "./exit-codes.js";
import { globalOptionSpecs, persistentOptionSpecs, readGlobals } from "./globals.js";
import { openContext, type Surroundings } from "./open-context.js";
import { parseWords, usageError } from "./parse.js";
import type { Printed, PrintedStream } from "./render/printed.js";
import { commandTable, findCommand, loadAllCommands } from "./table.js";

/** Runs `words` (without node and script) and resolves with the exit code; rejects never. */
export async function runProgram(words: readonly string[], around: Surroundings): Promise<number> {
  const seen: { verbose: boolean; ansi?: GlobalOptions["ansi"]; progress?: GlobalOptions["progress"] } = {
    verbose: words.includes("--verbose"),
  };
  try {
    return await dispatch(words, around, (globals) => {
      seen.verbose = globals.verbose;
      seen.ansi = globals.ansi;
      seen.progress = globals.progress;
    });
  } catch (error) {
    if (isBrokenPipe(error)) return EXIT_OK;
    const { renderError, renderErrorJson } = await import("./render/errors.js");
    const color = around.stderr.isTTY === true && !around.env["NO_COLOR"] && seen.ansi !== "never";
    const style = { verbose: seen.verbose, color };
    const said: PrintedStream = around.stderr;
    said.write(seen.progress === "json" ? renderErrorJson(error) : renderError(error, style));
    if (isTscError(error)) return error.exitCode === 0 ? EXIT_ERROR : error.exitCode;
    return isAbort(error) ? EXIT_CANCELLED : EXIT_ERROR;
  }
}

async function dispatch(
  words: readonly string[],
  surroundings: Surroundings,
  seen: (globals: GlobalOptions) => void,
): Promise<number> {
  const root = parseWords(
    {
      path: "tscompose",
      options: globalOptionSpecs,
      args: [{ name: "COMMAND", variadic: true }],
      stopAtFirstArgument: true,
    },
    words,
  );
  if (root === "help") return printOverview(surroundings, "");
  const around = withDockerConfig(surroundings, root.options.text("config"));
  if (root.options.flag("version") && root.args.length === 0) return runVersion(around, root.options.flag("shim"));
  if (root.args[0] === "help") return printHelp(around, root.args.slice(1));
  if (root.args.length === 0) return printOverview(around, "");
  const found = findCommand(root.args);
  if (found === undefined) return unknownCommand(around, root.args);
  const { command } = await found.entry.load();
  const rest = root.args.slice(found.consumed);
  // the words of a line that is completed are no options of ours; docker's completion sends them without the `--`
  const isForeignLine = command.name === "__complete" && rest[0] !== "--";
  const parsed = parseWords(
    {
      path: `tscompose ${command.name}`,
      options: withPersistent(command),
      args: command.args,
      stopAtFirstArgument: command.stopAtFirstArgument === true,
    },
    isForeignLine ? ["--", ...rest] : rest,
  );
  if (parsed === "help") return printHelp(around, command.name.split(" "));
  const warnings: string[] = [];
  const { options: rootOptions } = root;
  const { options } = parsed;
  function read(env: Surroundings["env"], warn: (message: string) => void): GlobalOptions {
    const before = readGlobals(rootOptions, env, warn);
    return {
      ...before,
      dryRun: before.dryRun || (!declares(command, "dry-run") && options.flag("dry-run")),
      verbose: before.verbose || (!declares(command, "verbose") && options.flag("verbose")),
    };
  }
  const globals = read(around.env, (message) => warnings.push(message));
  seen(globals);
  if (globals.dryRun) refuseDryRun(command);
  const context = openContext(around, globals, command.name, (env) => read(env, () => {}));
  for (const message of warnings) context.warn(message);
  try {
    return await command.run(context, parsed.args, parsed.options);
  } finally {
    await context.close();
  }
}

function declares(command: CommandSpec, long: string): boolean {
  return command.options.some((option) => option.long === long);
}

function withPersistent(command: CommandSpec) {
  return [...command.options, ...persistentOptionSpecs.filter(({ long }) => !declares(command, long))];
}

function print({ stdout }: { readonly stdout: PrintedStream }, text: Printed): void {
  stdout.write(text);
}

/** `--config` is for this run what DOCKER_CONFIG is. */
function withDockerConfig(around: Surroundings, folder: string | undefined): Surroundings {
  if (folder === undefined || folder === "") return around;
  return {
    env: { ...around.env, DOCKER_CONFIG: resolve(around.cwd, folder) },
    cwd: around.cwd,
    // opened by whoever asks for it
    get stdin() {
      return around.stdin;
    },
    stdout: around.stdout,
    stderr: around.stderr,
    onSignal: around.onSignal,
    exit: around.exit,
  };
}

async function runVersion(around: Surroundings, shim: boolean): Promise<number> {
  const { versionText } = await import("./commands/version.js");
  print(around, versionText(shim));
  return EXIT_OK;
}

async function printHelp(around: Surroundings, words: readonly string[]): Promise<number> {
  const found = findCommand(words);
  if (found === undefined) return words.length === 0 ? printOverview(around, "") : unknownCommand(around, words);
  const [{ commandHelp }, { command }] = await Promise.all([import("./help.js"), found.entry.load()]);
  print(around, commandHelp(command));
  return EXIT_OK;
}

async function printOverview(around: Surroundings, noun: string): Promise<number> {
  const { overviewHelp } = await import("./help.js");
  const all = await loadAllCommands();
  const chosen =
    noun === "" ? all : all.filter(({ name }) => name.startsWith(`${noun} `)).map((c) => ({ ...c, hidden: false }));
  print(around, overviewHelp(chosen, noun));
  return EXIT_OK;
}

async function unknownCommand(around: Surroundings, words: readonly string[]): Promise<number> {
  const noun = words[0] ?? "";
  const isNoun = commandTable.some(({ name }) => name.startsWith(`${noun} `));
  const [, verb] = words;
  if (isNoun && (verb === undefined || verb === "--help" || verb === "-h")) return printOverview(around, noun);
  const written = isNoun ? `${noun} ${verb}` : noun;
  const { nearest } = await import("../lib/nearest.js");
  const shown = commandTable.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const meant = nearest(written, isNoun ? shown.filter((name) => name.startsWith(`${noun} `)) : shown);
  const path = isNoun ? `tscompose ${noun}` : "tscompose";
  throw usageError({ path }, `unknown command: "${written}"`, meant === undefined ? undefined : `"${meant}"`);
}

/** True for what Node throws when the reader of our output is gone. */
function isBrokenPipe(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "EPIPE" && "syscall" in error;
}

function isAbort(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "AbortError";
}
