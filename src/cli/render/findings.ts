/** Findings of `check` as text, JSON or SARIF 2.1.0. Pure. */
import { isAbsolute, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Finding, Rule } from "../../compose/index.js";
import { isTscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { joined, type Printed, printed, printedJson, printedLines } from "./printed.js";

/** What a failed load says, as findings; undefined when it is no user's error. */
export function findingsOfError(error: unknown): readonly Finding[] | undefined {
  if (!isTscError(error) || !error.code.startsWith("TSC_COMPOSE_") || error.code === "TSC_COMPOSE_FILE_NOT_FOUND")
    return undefined;
  const all: readonly unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors : [error];
  return all.flatMap((one) => {
    if (!isTscError(one)) return [];
    const { code, message, hint, where } = one;
    return [
      {
        code,
        level: "error" as const,
        message,
        hint: hint ?? "",
        ...(where === undefined ? {} : { where: { ...where, text: where.text ?? "" } }),
      },
    ];
  });
}

/** In the given format, newline at the end; files are shown relative to `cwd` where they lie below it. */
export function formatFindings(
  findings: readonly Finding[],
  rules: readonly Rule[],
  format: string,
  cwd: string,
): Printed {
  const json = (value: unknown) => joined([printedJson(value, 2), printed`\n`]);
  if (format === "json") return json(findings.map(plain));
  return format === "sarif" ? json(sarif(findings, rules, cwd)) : printedLines(text(findings, cwd));
}

/** One line a rule. */
export function rulesText(rules: readonly Rule[]): Printed {
  const width = Math.max(...rules.map(({ code }) => code.length));
  return printedLines(rules.map(({ code, level, title }) => `${code.padEnd(width)}  ${level.padEnd(7)}  ${title}`));
}

function plain({ code, level, message, hint, where }: Finding): object {
  return {
    code,
    level,
    message,
    hint,
    ...(where === undefined ? {} : { file: where.file, line: where.line, column: where.column }),
  };
}

function shown(file: string, cwd: string): string {
  const below = isAbsolute(file) ? relative(cwd, file) : file;
  return below.startsWith("..") ? file : below;
}

function text(findings: readonly Finding[], cwd: string): readonly string[] {
  if (findings.length === 0) return ["no problems found"];
  const lines = sameForServices(findings).flatMap(([finding, ...others]) => {
    const { code, level, message, hint, where } = finding;
    const place = placeText(finding, cwd);
    const source =
      where === undefined || where.text.trim() === "" || code.startsWith("TSC_CHECK_SECRET_")
        ? []
        : [`    ${printable(where.text.trim(), 120)}`];
    return [
      `${place}${place === "" ? "" : ": "}${level}[${code}]: ${printable(message, 1000)}`,
      ...source,
      ...others.map((one) => `    also: ${[serviceOf(one.message), placeText(one, cwd)].filter(Boolean).join(" at ")}`),
      ...(hint === "" ? [] : [`    hint: ${printable(hint, 400)}`]),
    ];
  });
  const count = (level: string, word: string): string[] => {
    const number = findings.filter((one) => one.level === level).length;
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? "" : "s"}`];
  };
  const total = [...count("error", "error"), ...count("warning", "warning"), ...count("note", "note")];
  return [...lines, total.join(", ")];
}

function placeText({ where }: Finding, cwd: string): string {
  return where === undefined ? "" : printable(`${shown(where.file, cwd)}:${where.line}:${where.column}`, 1000);
}

const SERVICE = /^service "(?:[^"\\]|\\.)*"/;

function serviceOf(message: string): string {
  return printable(SERVICE.exec(message)?.[0] ?? "", 300);
}

/** Findings that say the same of several services, together at the place of the first. */
function sameForServices(findings: readonly Finding[]): readonly (readonly [Finding, ...Finding[]])[] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  for (const finding of findings) {
    const { code, level, message, hint } = finding;
    const key = JSON.stringify([code, level, message.replace(SERVICE, "service"), hint]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()];
}

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0: one run, one result a finding. */
function sarif(findings: readonly Finding[], rules: readonly Rule[], cwd: string): object {
  const used = [...new Set(findings.map(({ code }) => code))].toSorted();
  const known = new Map(rules.map((rule) => [rule.code, rule]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "tscompose",
            rules: used.map((code) => {
              const rule = known.get(code);
              return {
                id: code,
                shortDescription: { text: rule?.title ?? "the compose file cannot be loaded" },
                ...(rule === undefined ? {} : { help: { text: rule.help } }),
                defaultConfiguration: { level: rule?.level ?? "error" },
              };
            }),
          },
        },
        originalUriBaseIds: { ROOT: { uri: `${pathToFileURL(cwd).href}/` } },
        results: findings.map(({ code, level, message, hint, where }) => ({
          ruleId: code,
          ruleIndex: used.indexOf(code),
          level,
          message: { text: hint === "" ? message : `${message} (${hint})` },
          ...(where === undefined ? {} : { locations: [location(where, cwd)] }),
        })),
      },
    ],
  };
}

function location(where: NonNullable<Finding["where"]>, cwd: string): object {
  const file = shown(where.file, cwd);
  const artifact = isAbsolute(file)
    ? { uri: pathToFileURL(file).href }
    : { uri: file.split("/").map(encodeURIComponent).join("/"), uriBaseId: "ROOT" };
  return {
    physicalLocation: {
      artifactLocation: artifact,
      region: { startLine: where.line, startColumn: where.column },
    },
  };
}
