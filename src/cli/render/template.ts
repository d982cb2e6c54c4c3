/**
 * Go templates as `--format` takes them: fields, pipelines, if/range/with, variables, and docker's functions. A small evaluator
 * over plain data: no access to prototypes, no loops but `range`. https://pkg.go.dev/text/template
 */
import { TscError } from "../../lib/errors.js";
import { escaped, escapedJson } from "../../lib/printable.js";
import { type Printed, printedText } from "./printed.js";
import { type Node, type Operand, type Pipeline, parseTemplate } from "./template-parse.js";
import { goQuote } from "./units.js";

/** A parsed template; call it with the value of `.`. Throws `TSC_TEMPLATE`. */
export type Template = (data: unknown) => Printed;

/** A value callable from a template with arguments (`.Label "x"`). */
type TemplateMethod = (...args: readonly unknown[]) => unknown;

/** Parses once; wrong syntax and unknown functions are `TSC_TEMPLATE`. */
export function compileTemplate(source: string): Template {
  const nodes = parseTemplate(source);
  return (data) => {
    const scope: Scope = { root: data, variables: new Map([["$", data]]) };
    return printedText(renderNodes(nodes, data, scope));
  };
}

/**
 * Text of the template's author: a string in the template, or what a function made of such. Its line ends and tabs count, those of the data are
 * escaped where they are printed.
 */
class Own {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const bare = (value: unknown): unknown => (value instanceof Own ? value.text : value);

interface Scope {
  readonly root: unknown;
  readonly variables: Map<string, unknown>;
}

function renderNodes(nodes: readonly Node[], dot: unknown, scope: Scope): string {
  let out = "";
  for (const node of nodes) out += renderNode(node, dot, scope);
  return out;
}

function renderNode(node: Node, dot: unknown, scope: Scope): string {
  switch (node.type) {
    case "text":
      return node.text;
    case "output": {
      const value = evaluate(node.pipeline, dot, scope);
      return node.pipeline.assign === undefined ? show(value) : "";
    }
    case "if":
      return renderNodes(truth(evaluate(node.pipeline, dot, scope)) ? node.body : node.otherwise, dot, scope);
    case "with": {
      const value = evaluate(node.pipeline, dot, scope);
      return truth(value) ? renderNodes(node.body, value, scope) : renderNodes(node.otherwise, dot, scope);
    }
    case "range": {
      const entries = listEntries(evaluate({ ...node.pipeline, assign: undefined }, dot, scope));
      if (entries.length === 0) return renderNodes(node.otherwise, dot, scope);
      let out = "";
      const [first, second] = node.pipeline.assign ?? [];
      for (const [key, value] of entries) {
        if (second !== undefined && first !== undefined) {
          scope.variables.set(first, key);
          scope.variables.set(second, value);
        } else if (first !== undefined) scope.variables.set(first, value);
        out += renderNodes(node.body, value, scope);
      }
      return out;
    }
  }
}

function evaluate(pipeline: Pipeline, dot: unknown, scope: Scope): unknown {
  let value: unknown;
  pipeline.commands.forEach((command, index) => {
    const piped = index === 0 ? [] : [value];
    value = call(command, dot, scope, piped);
  });
  const [name] = pipeline.assign ?? [];
  if (name !== undefined) scope.variables.set(name, value);
  return value;
}

function call(operands: readonly Operand[], dot: unknown, scope: Scope, piped: readonly unknown[]): unknown {
  const [head, ...rest] = operands;
  if (head === undefined) throw problem("missing value for command");
  const args = () => [...rest.map((operand) => resolve(operand, dot, scope)), ...piped];
  if (head.type === "function") {
    return apply(head.name, args());
  }
  const value = resolve(head, dot, scope, true);
  if (typeof value === "function") return (value as TemplateMethod)(...args().map(bare));
  if (rest.length + piped.length > 0) throw problem("can't give argument to a value that is no function");
  return value;
}

/** What is made only of the author's text is the author's; printing functions see to each of their words themselves. */
function apply(name: string, args: readonly unknown[]): unknown {
  const print = PRINTERS.get(name);
  if (print !== undefined) return new Own(print(args));
  const found = FUNCTIONS.get(name);
  if (found === undefined) throw problem(`function "${name}" not defined`);
  const made = found(args.map(bare));
  const isOwn =
    args.some((arg) => arg instanceof Own) && args.every((arg) => arg instanceof Own || typeof arg === "number");
  return isOwn && typeof made === "string" ? new Own(made) : made;
}

function resolve(operand: Operand, dot: unknown, scope: Scope, keepMethod = false): unknown {
  switch (operand.type) {
    case "literal":
      return typeof operand.value === "string" ? new Own(operand.value) : operand.value;
    case "field":
      return follow(dot, operand.path, keepMethod);
    case "variable": {
      if (!scope.variables.has(operand.name)) throw problem(`undefined variable "${operand.name}"`);
      return follow(scope.variables.get(operand.name), operand.path, keepMethod);
    }
    case "group":
      return follow(evaluate(operand.pipeline, dot, scope), operand.path, keepMethod);
    case "function":
      return call([operand], dot, scope, []);
  }
}

function follow(start: unknown, path: readonly string[], keepMethod: boolean): unknown {
  let value = start;
  for (const name of path) {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== "object" || value instanceof Own) throw problem(`can't evaluate field ${name}`);
    const key = Object.hasOwn(value, name) || isOpen(value) ? name : goName(value, name);
    if (key === undefined) throw problem(`can't evaluate field ${name}`);
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === "function" && !keepMethod ? (value as TemplateMethod)() : value;
}

/** Docker's templates also take the names that its Go types have where JSON has others: `ID` for `Id`, `NanoCPUs`, `DNS`; they differ in case only. */
function goName(value: object, name: string): string | undefined {
  return Object.keys(value).find((key) => key.toLowerCase() === name.toLowerCase());
}

/** Marks a value whose keys are data (labels): a missing one is no mistake of the template's author. */
const OPEN = Symbol("open map");
/** A shallow copy whose keys are data: a template that asks for one that is missing gets no value, not `TSC_TEMPLATE`. */
export function openMap<T extends object>(map: T): T {
  return Object.defineProperty({ ...map }, OPEN, { value: true });
}
function isOpen(value: object): boolean {
  return OPEN in value;
}

/** Marks a record that Go has as a struct: it prints as `{v v v}`. */
const STRUCT = Symbol("struct");
/** A shallow copy that templates print as `{v v v}`, without the names of its fields. */
export function goStruct<T extends object>(record: T): T {
  return Object.defineProperty({ ...record }, STRUCT, { value: true });
}

function truth(value: unknown): boolean {
  if (value instanceof Own) return value.text !== "";
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as it is printed: data stay on their line. */
function show(value: unknown): string {
  if (value instanceof Own) return value.text;
  if (value === undefined || value === null) return "<no value>";
  return escaped(typeof value === "object" ? goText(value) : String(value));
}

function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => typeof inner !== "function");
    if (STRUCT in value) return `{${entries.map(([, inner]) => goText(inner)).join(" ")}}`;
    return `map[${entries
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => `${key}:${goText(inner)}`)
      .join(" ")}]`;
  }
  return String(value ?? "<nil>");
}

function listEntries(given: unknown): readonly (readonly [unknown, unknown])[] {
  const value = bare(given);
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
  if (value === undefined || value === null || value === "") return [];
  throw problem("range can't iterate over a single value");
}

const HTML = /[<>&]/g;

/** JSON as docker prints rows: one line, methods left out, `<`, `>` and `&` escaped as Go's encoder does; printable, and the same when read. */
export function jsonText(value: unknown): string {
  return escapedJson(JSON.stringify(value ?? null)).replace(
    HTML,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function compare(args: readonly unknown[]): number {
  const [a, b] = args;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  throw problem("incompatible types for comparison");
}

const text = (value: unknown) => (value === undefined || value === null ? "" : String(value));
/** As `text`, fit to print. */
const shown = (value: unknown) => (value instanceof Own ? value.text : escaped(text(value)));

/** Functions that print: what they make may hold the author's line ends. */
const PRINTERS = new Map<string, (args: readonly unknown[]) => string>([
  ["join", ([list, separator]) => (Array.isArray(list) ? list.map(shown).join(shown(separator)) : shown(list))],
  ["print", (args) => args.map(shown).join("")],
  ["println", (args) => `${args.map(shown).join(" ")}\n`],
  ["printf", ([format, ...args]) => printf(shown(format), args)],
]);

const FUNCTIONS = new Map<string, (args: readonly unknown[]) => unknown>([
  ["json", ([value]) => jsonText(value)],
  ["split", ([value, separator]) => text(value).split(text(separator))],
  ["lower", ([value]) => text(value).toLowerCase()],
  ["upper", ([value]) => text(value).toUpperCase()],
  ["title", ([value]) => text(value).replace(/(^|\s)\S/g, (letter) => letter.toUpperCase())],
  [
    "pad",
    ([value, left, right]) =>
      text(value) === "" ? "" : `${" ".repeat(bounded(left))}${text(value)}${" ".repeat(bounded(right))}`,
  ],
  ["truncate", ([value, length]) => [...text(value)].slice(0, bounded(length)).join("")],
  [
    "len",
    ([value]) => (Array.isArray(value) || typeof value === "string" ? value.length : Object.keys(value ?? {}).length),
  ],
  [
    "index",
    ([value, ...keys]) =>
      keys.reduce<unknown>((inner, key) => {
        if (Array.isArray(inner)) return inner[Number(key)];
        return typeof inner === "object" && inner !== null && Object.hasOwn(inner, text(key))
          ? (inner as Readonly<Record<string, unknown>>)[text(key)]
          : undefined;
      }, value),
  ],
  ["slice", ([value, from, to]) => text(value).slice(Number(from ?? 0), to === undefined ? undefined : Number(to))],
  ["eq", ([value, ...others]) => others.some((other) => other === value)],
  ["ne", ([a, b]) => a !== b],
  ["lt", (args) => compare(args) < 0],
  ["le", (args) => compare(args) <= 0],
  ["gt", (args) => compare(args) > 0],
  ["ge", (args) => compare(args) >= 0],
  ["not", ([value]) => !truth(value)],
  ["and", (args) => args.find((value) => !truth(value)) ?? args.at(-1)],
  ["or", (args) => args.find(truth) ?? args.at(-1)],
]);

function bounded(value: unknown): number {
  const count = Number(value);
  return Number.isInteger(count) && count > 0 ? Math.min(count, 1000) : 0;
}

function printf(format: string, args: readonly unknown[]): string {
  let next = 0;
  return format.replace(/%(-?)(\d{0,3})([svdqtf%])/g, (_, left: string, width: string, verb: string) => {
    if (verb === "%") return "%";
    const value = args[next++];
    const word = verb === "q" ? goQuote(text(bare(value))) : value === undefined || value === null ? "" : show(value);
    return left === "-" ? word.padEnd(Number(width)) : word.padStart(Number(width));
  });
}

function problem(message: string): TscError {
  return new TscError("TSC_TEMPLATE", `template parsing error: template: ${message}`, { kind: "invalid-input" });
}
