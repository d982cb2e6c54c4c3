/** Help texts, made from the declarations. Prints nothing. */
import type { CommandSpec, OptionSpec } from "./command.js";
import { globalOptionSpecs } from "./globals.js";
import { type Printed, printedText } from "./render/printed.js";

/** The help of one command, with its example. */
export function commandHelp(spec: CommandSpec): Printed {
  const usage = [
    "tscompose",
    spec.name,
    spec.options.some((option) => option.hidden !== true) ? "[OPTIONS]" : "",
    ...spec.args.map((argument) => {
      const word = argument.variadic === true ? `${argument.name}...` : argument.name;
      return argument.required === true ? word : `[${word}]`;
    }),
  ];
  const aliases = (spec.aliases ?? []).length === 0 ? [] : [`Aliases:  ${(spec.aliases ?? []).join(", ")}`, ""];
  return page([
    `Usage:  ${usage.filter((word) => word !== "").join(" ")}`,
    "",
    spec.summary,
    "",
    ...aliases,
    ...optionLines("Options:", spec.options),
    "Example:",
    `  ${spec.example}`,
  ]);
}

function page(lines: readonly string[]): Printed {
  return printedText(lines.map((line) => `${line}\n`).join(""));
}

/** The help of the program or of a noun (`image`): its commands by group. */
export function overviewHelp(specs: readonly CommandSpec[], noun: string): Printed {
  const shown = specs.filter((spec) => spec.hidden !== true);
  const width = Math.max(...shown.map((spec) => spec.name.length)) + 2;
  const line = (spec: CommandSpec) => `  ${spec.name.padEnd(width)}${spec.summary}`;
  const groups = new Map<string, string[]>();
  for (const spec of shown) {
    const space = spec.name.indexOf(" ");
    const title =
      space > 0
        ? `Engine commands (${spec.name.slice(0, space)}):`
        : spec.engine === true
          ? "Engine commands:"
          : "Commands:";
    groups.set(title, [...(groups.get(title) ?? []), line(spec)]);
  }
  const body = [...groups].flatMap(([title, lines]) => [title, ...lines, ""]);
  if (noun !== "") {
    return page([
      `Usage:  tscompose ${noun} COMMAND`,
      "",
      ...body,
      `Run 'tscompose ${noun} COMMAND --help' for more on one.`,
    ]);
  }
  return page([
    "Usage:  tscompose [OPTIONS] COMMAND",
    "",
    "Run compose files on this host: no daemon, neither Docker nor Podman",
    "",
    ...optionLines("Options:", globalOptionSpecs),
    ...body,
    "Example:",
    "  tscompose up -d && tscompose ps",
    "",
    "Run 'tscompose COMMAND --help' for more information on a command.",
  ]);
}

function optionLines(title: string, options: readonly OptionSpec[]): readonly string[] {
  const shown = options.filter((option) => option.hidden !== true).toSorted((a, b) => (a.long < b.long ? -1 : 1));
  if (shown.length === 0) return [];
  const left = shown.map((option) => {
    const value =
      option.value === undefined
        ? ""
        : ` ${option.placeholder ?? (option.value === "list" ? "stringArray" : option.value)}`;
    return `  ${option.short === undefined ? "    " : `-${option.short}, `}--${option.long}${value}`;
  });
  const width = Math.min(34, Math.max(...left.map((text) => text.length)) + 3);
  const lines = shown.map((option, index) => {
    const start = left[index] ?? "";
    const byDefault =
      option.default === undefined || option.default === false ? "" : ` (default ${JSON.stringify(option.default)})`;
    const text = `${option.help}${byDefault}`;
    return start.length + 2 > width ? `${start}\n${" ".repeat(width)}${text}` : `${start.padEnd(width)}${text}`;
  });
  return [title, ...lines, ""];
}
