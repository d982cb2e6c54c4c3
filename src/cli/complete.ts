/** Works out completions from the command table and, for names, from the project and the engine. Prints nothing. */
import { given } from "../lib/given.js";
import type { ArgumentSpec, CommandSpec, CommandTable, Completion, OptionSpec } from "./command.js";
import type { CliContext } from "./context.js";
import { globalOptionSpecs, persistentOptionSpecs } from "./globals.js";
import { loadOptions } from "./load-options.js";

interface Candidate {
  readonly text: string;
  readonly help: string;
}
/** What the shell's script gets from `__complete`: a line for each candidate, the directive last. */
export interface Completions {
  readonly candidates: readonly Candidate[];
  /** What the shell adds by itself. */
  readonly directive: ":files" | ":dirs" | ":none";
}

const SIGNALS = ["SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT"];
const STATES = ["created", "dead", "exited", "paused", "removing", "restarting", "running"];
const NOTHING: Completions = { candidates: [], directive: ":none" };

/** Candidates for the last of `words` (empty when a new word begins). */
export async function complete(ctx: CliContext, table: CommandTable, asked: readonly string[]): Promise<Completions> {
  // docker asks its plugins with their name in front
  const words = asked[0] === "compose" && asked.length > 1 ? asked.slice(1) : asked;
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const line = readLine(before);
  if (line.pending !== undefined) return await completeValue(ctx, line.globals, line.pending, current);
  if (line.words[0] === "help") return await completeCommand(table, line.words.slice(1), current);
  const found = table.find(line.words);
  if (found === undefined || (before.length > 0 && line.words.length === 0)) {
    if (current.startsWith("-")) return await completeOption(ctx, line.globals, globalOptionSpecs, current);
    return await completeCommand(table, line.words, current);
  }
  const { command } = await found.entry.load();
  const isNoun = table.entries.some(({ name }) => name.startsWith(`${command.name} `));
  if (isNoun && line.words.length === found.consumed) return await completeCommand(table, line.words, current);
  return await completeInside(ctx, line, command, line.words.slice(found.consumed), current);
}

interface Line {
  /** Words from the command on. */
  readonly words: readonly string[];
  /** Values of the global options so far, by name. */
  readonly globals: ReadonlyMap<string, readonly string[]>;
  /** A global option whose value comes next. */
  readonly pending: OptionSpec | undefined;
}

function readLine(before: readonly string[]): Line {
  const globals = new Map<string, string[]>();
  for (let i = 0; i < before.length; i++) {
    const word = before[i] ?? "";
    if (!word.startsWith("-")) return { words: before.slice(i), globals, pending: undefined };
    const option = findOption(globalOptionSpecs, word);
    if (option?.value === undefined) continue;
    const equals = word.indexOf("=");
    if (equals < 0 && i + 1 >= before.length) return { words: [], globals, pending: option };
    const value = equals < 0 ? (before[++i] ?? "") : word.slice(equals + 1);
    globals.set(option.long, [...(globals.get(option.long) ?? []), value]);
  }
  return { words: [], globals, pending: undefined };
}

function findOption(options: readonly OptionSpec[], word: string): OptionSpec | undefined {
  if (word.startsWith("--")) {
    const long = word.slice(2).split("=")[0];
    return options.find((option) => option.long === long);
  }
  return options.find((option) => option.short !== undefined && option.short === word.at(-1));
}

async function completeCommand(table: CommandTable, parents: readonly string[], current: string): Promise<Completions> {
  const prefix = parents.length === 0 ? "" : `${parents.join(" ")} `;
  // below a hidden noun (`alpha`) everything is offered: whoever wrote the noun knows it
  const isOpen = prefix !== "" && table.entries.some(({ name, hidden }) => hidden === true && name === parents[0]);
  const entries = table.entries.filter(
    ({ name, hidden }) => (isOpen || hidden !== true) && name.startsWith(prefix) && !name.startsWith("internal"),
  );
  const words = new Map<string, (typeof entries)[number]>();
  for (const entry of entries) {
    const word = entry.name.slice(prefix.length).split(" ")[0] ?? "";
    if (word.startsWith(current) && !words.has(word)) words.set(word, entry);
  }
  const candidates = await Promise.all(
    [...words].map(async ([text, entry]) => {
      const isNoun = entry.name !== `${prefix}${text}`;
      return { text, help: isNoun ? nounHelp(text) : (await entry.load()).command.summary };
    }),
  );
  return { candidates, directive: ":none" };
}

function nounHelp(noun: string): string {
  if (noun === "builder") return "Manage builds";
  return noun === "system" ? "Manage the engine" : `Manage ${noun}s`;
}

async function completeInside(
  ctx: CliContext,
  line: Line,
  command: CommandSpec,
  words: readonly string[],
  current: string,
): Promise<Completions> {
  const options = [...command.options, ...persistentOptionSpecs];
  const given: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word.startsWith("-") && !(command.stopAtFirstArgument === true && given.length > 0)) {
      const option = findOption(options, word);
      if (option?.value === undefined || word.includes("=")) continue;
      if (i + 1 >= words.length) return await completeValue(ctx, line.globals, option, current);
      i++;
    } else given.push(word);
  }
  if (command.stopAtFirstArgument === true && given.length > 1) return { candidates: [], directive: ":files" };
  if (current.startsWith("-")) return await completeOption(ctx, line.globals, options, current);
  const argument = argumentAt(command.args, given.length);
  if (argument === undefined) return NOTHING;
  if (argument.name.includes("|")) return among(argument.name.split("|"), current);
  return await completeKind(ctx, line.globals, argument.complete, current, new Set(given));
}

/** The name of an option or, after `--name=`, its value. */
async function completeOption(
  ctx: CliContext,
  globals: Line["globals"],
  options: readonly OptionSpec[],
  current: string,
): Promise<Completions> {
  const equals = current.indexOf("=");
  if (!current.startsWith("--") || equals < 0) return { candidates: optionNames(options, current), directive: ":none" };
  const option = findOption(options, current);
  if (option === undefined) return NOTHING;
  const start = current.slice(0, equals + 1);
  const { candidates, directive } = await completeValue(ctx, globals, option, current.slice(equals + 1));
  return { candidates: candidates.map(({ text, help }) => ({ text: `${start}${text}`, help })), directive };
}

function argumentAt(args: readonly ArgumentSpec[], index: number): ArgumentSpec | undefined {
  const last = args.at(-1);
  return args[index] ?? (last?.variadic === true ? last : undefined);
}

function optionNames(options: readonly OptionSpec[], current: string): readonly Candidate[] {
  return options
    .filter((option) => option.hidden !== true && `--${option.long}`.startsWith(current))
    .map((option) => ({ text: `--${option.long}`, help: option.help }));
}

async function completeValue(
  ctx: CliContext,
  globals: Line["globals"],
  option: OptionSpec,
  current: string,
): Promise<Completions> {
  if (option.value === undefined) return among(["true", "false"], current);
  const choices = option.placeholder?.includes("|") === true ? option.placeholder.split("|") : option.choices;
  if (choices !== undefined) return among(choices, current);
  if (option.long === "format") return among(["json", "table"], current);
  return await completeKind(ctx, globals, option.complete, current, new Set());
}

function among(choices: readonly string[], current: string): Completions {
  const candidates = choices.filter((text) => text.startsWith(current)).map((text) => ({ text, help: "" }));
  return { candidates, directive: ":none" };
}

async function completeKind(
  ctx: CliContext,
  globals: Line["globals"],
  kind: Completion | undefined,
  current: string,
  given: ReadonlySet<string>,
): Promise<Completions> {
  if (kind === undefined) return NOTHING;
  if (kind === "directory") return { candidates: [], directive: ":dirs" };
  if (kind === "file") return { candidates: [], directive: ":files" };
  const directive = kind === "service-path" ? ":files" : ":none";
  try {
    const names = (await namesOf(ctx, globals, kind)).filter((name) => !given.has(name));
    return { ...among([...new Set(names)].toSorted(), current), directive };
  } catch {
    // a broken compose file or no engine: a shell that is completing has nowhere to show it
    return NOTHING;
  }
}

async function namesOf(ctx: CliContext, globals: Line["globals"], kind: Completion): Promise<readonly string[]> {
  switch (kind) {
    case "service-scale":
      return (await namesOf(ctx, globals, "service")).map((name) => `${name}=`);
    case "service-path":
      return (await namesOf(ctx, globals, "service")).map((name) => `${name}:`);
    case "signal":
      return SIGNALS;
    case "state":
      return STATES;
    case "project": {
      const containers = await (await ctx.engine()).containers.list();
      return containers.flatMap(({ labels }) => labels["com.docker.compose.project"] ?? []);
    }
    case "service":
    case "profile": {
      const project = await completionProject(ctx, globals);
      if (kind === "service") return [...Object.keys(project.services), ...Object.keys(project.disabledServices)];
      const services = [...Object.values(project.services), ...Object.values(project.disabledServices)];
      return services.flatMap((service) => service.profiles ?? []);
    }
    case "container":
      return (await (await ctx.engine()).containers.list()).map(({ name }) => name);
    case "image":
      return (await (await ctx.engine()).images.list()).flatMap(({ tags }) => tags.map(shortName));
    case "network":
      return (await (await ctx.engine()).networks.list()).map(({ name }) => name);
    case "volume":
      return (await (await ctx.engine()).volumes.list()).map(({ name }) => name);
    case "file":
    case "directory":
      return [];
  }
}

function shortName(tag: string): string {
  return tag.replace(/^docker\.io\/(library\/)?/, "");
}

/** The project that the line being typed means, not the one of this process's own flags. */
async function completionProject(ctx: CliContext, globals: Line["globals"]) {
  const { loadProject } = await import("../compose/index.js");
  const one = (name: string) => globals.get(name)?.at(-1);
  const projectName = one("project-name");
  const projectDirectory = one("project-directory");
  return await loadProject({
    ...loadOptions({ globals: ctx.globals, warn: () => {}, env: ctx.env, cwd: ctx.cwd }),
    files: globals.get("file") ?? [],
    profiles: globals.get("profile") ?? [],
    envFiles: globals.get("env-file") ?? [],
    noConsistency: true,
    noEnvResolution: true,
    ...given({ projectName, projectDirectory }),
  });
}
