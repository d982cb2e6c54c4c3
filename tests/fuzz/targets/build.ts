/** Dockerfiles, their words and patterns. */
import { ExpandError, expandWord, variablesIn } from "../../../src/engine/builder/dockerfile/expand.js";
import { parseDockerfile } from "../../../src/engine/builder/dockerfile/parse.js";
import { splitWords } from "../../../src/engine/builder/dockerfile/words.js";
import { cleanPath, parseIgnore } from "../../../src/engine/builder/dockerignore.js";
import { planStages } from "../../../src/engine/builder/stages.js";
import { parseMode } from "../../../src/engine/builder/steps/chmod.js";
import { PatternError } from "../../../src/lib/glob.js";
import { promise, type Target } from "../target.js";
import { refusing } from "./refusal.js";

export const dockerfile: Target = {
  words: [
    ...[
      "FROM ",
      "RUN ",
      "COPY ",
      "ADD ",
      "ENV ",
      "ARG ",
      "LABEL ",
      "CMD ",
      "ENTRYPOINT ",
      "HEALTHCHECK ",
      "ONBUILD ",
      "SHELL ",
      "EXPOSE ",
      "VOLUME ",
      "USER ",
      "WORKDIR ",
      "STOPSIGNAL ",
    ],
    ...[
      " AS ",
      "--from=",
      "--mount=type=bind,",
      "--mount=type=cache,target=",
      "--chown=",
      "--exclude=",
      "--network=",
      "scratch",
      "# escape=`\n",
      "# syntax=x\n",
      "<<EOF\n",
      "\nEOF\n",
      "<<-'E'",
    ],
    ...[
      "\\\n",
      "\n",
      "\r\n",
      "\t",
      "$",
      "${",
      "}",
      "${a:-",
      "${a#",
      "${a//",
      '"',
      "'",
      "[",
      "]",
      '["a","b"]',
      "=",
      ",",
      "__proto__=",
      "constructor",
    ],
  ],
  run(data) {
    const text = data.toString("utf8");
    const parsed = refusing(() => parseDockerfile(text, "Dockerfile"));
    if (parsed === undefined) return;
    const lines = text.split("\n").length;
    promise(
      parsed.instructions.every(({ line }) => line >= 1 && line <= lines),
      "places lie in the file",
    );
    const request = { file: "Dockerfile", target: "", args: {}, platformArgs: {}, contexts: new Set<string>() };
    refusing(() => planStages(parsed, request));
  },
};

export const words: Target = {
  words: [
    "$",
    "${",
    "}",
    "${a}",
    "${a:-",
    "${b:+",
    "${c:?",
    "${a#*",
    "${a##",
    "${a%",
    "${a%%?",
    "${a/",
    "${a//",
    "/",
    "*",
    "?",
    "\\",
    "`",
    '"',
    "'",
    "\0",
    " ",
  ],
  run(data) {
    const text = data.toString("utf8");
    const values: Readonly<Record<string, string>> = { a: "value/of/a", b: "", long: "ab".repeat(100) };
    for (const mark of ["\\", "`"] as const) {
      for (const keepQuotes of [false, true]) {
        refusing(() => expandWord(text, { lookup: (name) => values[name], escape: mark, keepQuotes }), ExpandError);
      }
      variablesIn(text, mark);
      const split = splitWords(text, mark);
      promise(split.join("").length <= text.length, "splitting adds nothing");
    }
    const mode = parseMode(text.slice(0, 40));
    const changed = mode?.(0o644, false) ?? 0;
    promise(Number.isInteger(changed) && changed >= 0 && changed <= 0o7777, "modes are modes");
  },
};

/** Names that patterns are asked about; the long ones make patterns that go back work. */
const PATHS = [
  "a",
  "a/b/c.txt",
  ".git/config",
  "src/lib/deep/er/file.ts",
  "a".repeat(200),
  "ab/".repeat(60).slice(0, -1),
  "node_modules/x/node_modules/y",
];

export const patterns: Target = {
  words: [
    "*",
    "**",
    "**/",
    "?",
    "!",
    "[",
    "]",
    "[^a]",
    "[a-z]",
    "\\",
    "/",
    "..",
    "#",
    "\n",
    "a*",
    "{",
    "}",
    "+",
    "(",
    ")",
    "|",
    "^",
    "$",
    ".",
  ],
  run(data) {
    const matcher = refusing(() => parseIgnore(data.toString("utf8")), PatternError);
    for (const path of PATHS) {
      matcher?.excludes(path);
      matcher?.mayHoldExceptions(path);
    }
    const clean = cleanPath(data.toString("latin1"));
    promise(cleanPath(clean) === clean && !clean.split("/").includes(".."), "a cleaned path stays inside and clean");
  },
};
