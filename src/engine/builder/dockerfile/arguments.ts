/** What stands behind each instruction's word. */

import { booleanFlag, flag, takeFlags } from "./flags.js";
import type { CommandLine } from "./instructions.js";
import type { LogicalLine } from "./lexer.js";
import { Problem } from "./problem.js";
import { parseMount } from "./run-mount.js";
import { parseJsonWords, splitWords } from "./words.js";

/** A command in exec form (a JSON array) or in shell form. */
export function commandLine(text: string): CommandLine {
  const argv = parseJsonWords(text);
  return argv === undefined ? { form: "shell", script: text } : { form: "exec", argv };
}

/** What stands behind FROM. Throws `Problem`. */
export function parseFrom(text: string, escapeMark: string) {
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

/** What stands behind RUN. Throws `Problem`. */
export function parseRun(text: string, line: LogicalLine) {
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

/** What stands behind COPY or ADD. Throws `Problem`. */
export function parseCopy(kind: "COPY" | "ADD", text: string, line: LogicalLine, escapeMark: string) {
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

/** Names and values of ENV and LABEL, in the new form or the old one (`ENV NAME the rest`). Throws `Problem`. */
export function parsePairs(keyword: string, text: string, escapeMark: string): (readonly [string, string])[] {
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

/** What stands behind HEALTHCHECK. Throws `Problem`. */
export function parseHealthcheck(text: string) {
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
