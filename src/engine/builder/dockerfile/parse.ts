/** Dockerfile text to instructions. Pure: no expansion, no files. Every error of the file is reported at once. */

import { type TscError, TscError as TscErrorClass, throwAll } from "../../../lib/errors.js";
import { given } from "../../../lib/given.js";
import { commandLine, parseCopy, parseFrom, parseHealthcheck, parsePairs, parseRun } from "./arguments.js";
import type { Instruction } from "./instructions.js";
import { KEYWORDS } from "./instructions.js";
import { type LogicalLine, lexDockerfile } from "./lexer.js";
import { Problem } from "./problem.js";
import { nearest, parseJsonWords, splitWords } from "./words.js";

/** A Dockerfile as instructions. */
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
    ...given({ hint }),
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
