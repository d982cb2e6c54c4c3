/** Dockerfile text to instructions. Pure: no expansion, no files. Every error of the file is reported at once. */
import { type TscError, TscError as TscErrorClass, throwAll } from "../../../lib/errors.js";
import { goBoolean } from "../../../lib/go-boolean.js";
import { own } from "../../../lib/own.js";
import type { CommandLine, Instruction } from "./instructions.js";
import { KEYWORDS } from "./instructions.js";
import { type LogicalLine, lexDockerfile } from "./lexer.js";
import { Problem } from "./problem.js";
import { parseMount } from "./run-mount.js";
import { nearest, parseJsonWords, splitWords, unquote } from "./words.js";

export interface ParsedDockerfile {
  readonly instructions: readonly Instruction[];
  readonly escape: "\\" | "`";
  readonly directives: Readonly<Record<string, string>>;
}

/** A `TSC_DOCKERFILE` error at a place; the message begins with `FILE:LINE:`. */
export function dockerfileError(
  file: string,
  place: { line: number; source: string },
  message: string,
  hint?: string,
): TscError {
  return new TscErrorClass("TSC_DOCKERFILE", `${file}:${place.line}: ${message}`, {
    kind: "invalid-input",
    where: { file, line: place.line, column: place.source.search(/\S|$/) + 1, text: place.source },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Lines of a file; each is a step of the build. */
const MAX_INSTRUCTIONS = 50_000;
/** Mistakes told at once: more help nobody. */
const MAX_ERRORS = 100;

/** The instructions of a Dockerfile; `file` names it in errors. Throws `TSC_DOCKERFILE`, a list when there are several. */
export function parseDockerfile(text: string, file: string): ParsedDockerfile {
  const lexed = lexDockerfile(text);
  const errors = lexed.errors.slice(0, MAX_ERRORS).map((error) => dockerfileError(file, error, error.message));
  const instructions: Instruction[] = [];
  if (lexed.lines.length > MAX_INSTRUCTIONS) {
    throw new TscErrorClass("TSC_DOCKERFILE", `${file}: more than ${MAX_INSTRUCTIONS} instructions`, {
      kind: "invalid-input",
    });
  }
  for (const line of lexed.lines) {
    if (errors.length >= MAX_ERRORS) break;
    try {
      instructions.push(parseInstruction(line, lexed.escape));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      errors.push(dockerfileError(file, line, error.message));
    }
  }
  throwAll(errors);
  if (instructions.length === 0) {
    throw new TscErrorClass("TSC_DOCKERFILE", `${file}: the Dockerfile cannot be empty`, { kind: "invalid-input" });
  }
  return { instructions, escape: lexed.escape, directives: lexed.directives };
}

/** One ONBUILD trigger of an image as an instruction; `file` names the image in errors. */
export function parseTrigger(text: string, file: string): Instruction {
  const [instruction] = parseDockerfile(text, file).instructions;
  if (instruction === undefined) throw new Error("unreachable: parseDockerfile returns at least one instruction");
  return instruction;
}

function parseInstruction(line: LogicalLine, escapeMark: string): Instruction {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(line.text);
  const keyword = (match?.[1] ?? "").toUpperCase();
  const rest = (match?.[2] ?? "").trim();
  const base = { line: line.line, source: line.source, text: line.text };
  if (!isKeyword(keyword)) {
    const guess = nearest(keyword, KEYWORDS);
    throw new Problem(
      `unknown instruction: ${match?.[1] ?? ""}${guess === undefined ? "" : ` (did you mean ${guess}?)`}`,
    );
  }
  if (rest === "" && keyword !== "CMD" && keyword !== "ENTRYPOINT") {
    throw new Problem(`${keyword} requires at least one argument`);
  }
  switch (keyword) {
    case "FROM":
      return { ...base, ...parseFrom(rest, escapeMark) };
    case "RUN":
      return { ...base, ...parseRun(rest, line) };
    case "COPY":
    case "ADD":
      return { ...base, ...parseCopy(keyword, rest, line, escapeMark) };
    case "ENV":
    case "LABEL":
      return { ...base, kind: keyword, pairs: parsePairs(keyword, rest, escapeMark) };
    case "ARG":
      return {
        ...base,
        kind: keyword,
        names: splitWords(rest, escapeMark).map((word) => {
          const at = word.indexOf("=");
          const name = at < 0 ? word : word.slice(0, at);
          if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Problem(`ARG ${name}: not a variable name`);
          return { name, value: at < 0 ? undefined : word.slice(at + 1) };
        }),
      };
    case "CMD":
    case "ENTRYPOINT":
      return { ...base, kind: keyword, command: commandLine(rest) };
    case "EXPOSE":
      return { ...base, kind: keyword, words: splitWords(rest, escapeMark) };
    case "VOLUME": {
      const words = parseJsonWords(rest) ?? splitWords(rest, escapeMark);
      if (words.some((word) => word.trim() === "")) throw new Problem("VOLUME specified can not be an empty string");
      return { ...base, kind: keyword, words };
    }
    case "WORKDIR":
      return { ...base, kind: keyword, word: rest };
    case "USER":
    case "STOPSIGNAL":
    case "MAINTAINER": {
      if (keyword === "USER" || keyword === "STOPSIGNAL") {
        if (splitWords(rest, escapeMark).length !== 1) throw new Problem(`${keyword} requires exactly one argument`);
      }
      return { ...base, kind: keyword, word: rest };
    }
    case "SHELL": {
      const argv = parseJsonWords(rest);
      if (argv === undefined || argv.length === 0) throw new Problem("SHELL requires the arguments to be in JSON form");
      return { ...base, kind: keyword, argv };
    }
    case "HEALTHCHECK":
      return { ...base, ...parseHealthcheck(rest) };
    case "ONBUILD": {
      const trigger = /^\S+/.exec(rest)?.[0]?.toUpperCase() ?? "";
      if (trigger === "ONBUILD") throw new Problem("chaining ONBUILD via ONBUILD ONBUILD is not allowed");
      if (trigger === "FROM" || trigger === "MAINTAINER")
        throw new Problem(`${trigger} is not allowed as an ONBUILD trigger`);
      const heredocs = line.heredocs.map((heredoc) => `\n${heredoc.source.replace(/\n$/, "")}`).join("");
      parseInstruction({ ...line, text: rest }, escapeMark);
      return { ...base, kind: keyword, trigger: rest + heredocs };
    }
  }
}

function isKeyword(word: string): word is (typeof KEYWORDS)[number] {
  return (KEYWORDS as readonly string[]).includes(word);
}

function commandLine(text: string): CommandLine {
  const argv = parseJsonWords(text);
  return argv === undefined ? { form: "shell", script: text } : { form: "exec", argv };
}

interface Flags {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: string;
}

/** Leading `--name=value` words; `known` says which there are and which may repeat. */
function takeFlags(keyword: string, text: string, known: Readonly<Record<string, "once" | "many" | "bare">>): Flags {
  const values = new Map<string, string[]>();
  let rest = text;
  for (;;) {
    const match = /^--([a-z][a-z-]*)(?:=((?:"[^"]*"|'[^']*'|\S)*))?(?:\s+|$)/.exec(rest);
    if (match === null) break;
    const [whole, name = "", value] = match;
    const kind = own(known, name);
    if (kind === undefined) {
      const guess = nearest(name, Object.keys(known));
      throw new Problem(
        `${keyword}: unknown flag --${name}${guess === undefined ? "" : ` (did you mean --${guess}?)`}`,
      );
    }
    if (value === undefined && kind !== "bare") throw new Problem(`${keyword}: missing a value on flag --${name}`);
    const before = values.get(name) ?? [];
    if (before.length > 0 && kind !== "many") throw new Problem(`${keyword}: duplicate flag --${name}`);
    // added in place: a line of four megabytes has hundreds of thousands of them
    before.push(unquote(value ?? "true"));
    values.set(name, before);
    rest = rest.slice(whole.length);
  }
  return { values, rest: rest.trim() };
}

const flag = (flags: Flags, name: string): string | undefined => flags.values.get(name)?.[0];
function booleanFlag(keyword: string, flags: Flags, name: string): boolean | undefined {
  const text = flag(flags, name);
  if (text === undefined) return undefined;
  const value = goBoolean(text);
  if (value !== undefined) return value;
  throw new Problem(`${keyword}: --${name} wants true or false, not ${JSON.stringify(text)}`);
}

function parseFrom(text: string, escapeMark: string) {
  const flags = takeFlags("FROM", text, { platform: "once" });
  const words = splitWords(flags.rest, escapeMark);
  const [base, as, name] = words;
  if (base === undefined || (words.length !== 1 && !(words.length === 3 && as?.toUpperCase() === "AS"))) {
    throw new Problem("FROM requires either one or three arguments");
  }
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/i.test(name)) {
    throw new Problem(`invalid name for build stage: ${JSON.stringify(name)}, must start with a letter`);
  }
  return { kind: "FROM" as const, base, platform: flag(flags, "platform"), name };
}

function parseRun(text: string, line: LogicalLine) {
  const flags = takeFlags("RUN", text, { mount: "many", network: "once", security: "once" });
  const network = flag(flags, "network") ?? "default";
  const security = flag(flags, "security") ?? "sandbox";
  if (network !== "default" && network !== "none" && network !== "host") {
    throw new Problem(`RUN: unsupported network mode ${JSON.stringify(network)}`);
  }
  if (security !== "sandbox" && security !== "insecure") {
    throw new Problem(`RUN: security ${JSON.stringify(security)} is not valid`);
  }
  if (flags.rest === "") throw new Problem("RUN requires at least one argument");
  const mounts = (flags.values.get("mount") ?? []).map(parseMount);
  return {
    kind: "RUN" as const,
    command: commandLine(flags.rest),
    mounts,
    network,
    security,
    heredocs: line.heredocs,
  } as const;
}

function parseCopy(kind: "COPY" | "ADD", text: string, line: LogicalLine, escapeMark: string) {
  const flags = takeFlags(kind, text, {
    chown: "once",
    chmod: "once",
    link: "bare",
    exclude: "many",
    ...(kind === "COPY"
      ? ({ from: "once", parents: "bare" } as const)
      : ({ checksum: "once", unpack: "bare", "keep-git-dir": "bare" } as const)),
  });
  const words = parseJsonWords(flags.rest) ?? splitWords(flags.rest, escapeMark);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw new Problem(
      `${kind} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  const sources = words
    .slice(0, -1)
    .filter((word) => !/^<<-?["']?[^"']+["']?$/.test(word) || line.heredocs.length === 0);
  return {
    kind,
    sources,
    destination,
    heredocs: line.heredocs,
    from: flag(flags, "from"),
    chown: flag(flags, "chown"),
    chmod: flag(flags, "chmod"),
    link: booleanFlag(kind, flags, "link") ?? false,
    parents: booleanFlag(kind, flags, "parents") ?? false,
    exclude: flags.values.get("exclude") ?? [],
    checksum: flag(flags, "checksum"),
    unpack: booleanFlag(kind, flags, "unpack"),
  };
}

function parsePairs(keyword: string, text: string, escapeMark: string): (readonly [string, string])[] {
  const words = splitWords(text, escapeMark);
  if (!(words[0] ?? "").includes("=")) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(text);
    if (match === null) throw new Problem(`${keyword} must have two arguments`);
    return [[match[1] ?? "", match[2] ?? ""]];
  }
  return words.map((word) => {
    const at = word.indexOf("=");
    if (at < 0)
      throw new Problem(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    if (at === 0) throw new Problem(`${keyword} names can not be blank`);
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
}

function parseHealthcheck(text: string) {
  const flags = takeFlags("HEALTHCHECK", text, {
    interval: "once",
    timeout: "once",
    "start-period": "once",
    "start-interval": "once",
    retries: "once",
  });
  const match = /^(\S+)\s*([\s\S]*)$/.exec(flags.rest);
  const type = match?.[1]?.toUpperCase();
  const rest = match?.[2] ?? "";
  const options = Object.fromEntries([...flags.values].map(([name, values]) => [name, values[0] ?? ""]));
  if (type === "NONE") {
    if (rest !== "") throw new Problem("HEALTHCHECK NONE takes no arguments");
    return { kind: "HEALTHCHECK" as const, test: ["NONE"], flags: {} };
  }
  if (type !== "CMD") throw new Problem(`unknown type ${JSON.stringify(match?.[1] ?? "")} in HEALTHCHECK (try CMD)`);
  if (rest === "") throw new Problem("missing command after HEALTHCHECK CMD");
  const argv = parseJsonWords(rest);
  return {
    kind: "HEALTHCHECK" as const,
    test: argv === undefined ? ["CMD-SHELL", rest] : ["CMD", ...argv],
    flags: options,
  };
}
