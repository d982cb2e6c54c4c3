/** Variable substitution in one string: the grammar and operators of compose interpolation. Knows nothing of files. */
import { TscError } from "../../lib/errors.js";

/** The value of a variable, or undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** Who hears of variables that become empty because they are set nowhere. */
export interface SubstituteOptions {
  /** Called for `$V` and `${V}` when V is not set. */
  readonly onUnset?: (name: string) => void;
}

/** What a template says about one of its variables (`config --variables`). */
export interface TemplateVariable {
  readonly name: string;
  readonly defaultValue: string;
  readonly presenceValue: string;
  readonly required: boolean;
}

type Operator = ":-" | "-" | ":+" | "+" | ":?" | "?";
interface Reference {
  readonly name: string;
  readonly operator: Operator | undefined;
  readonly operand: string;
  /** Index just past the reference. */
  readonly end: number;
}

const MAX_DEPTH = 64;
/** Characters that a text may gain: variables that name variables (`A=$B$B` in a `.env`) double with every line. */
const MAX_GROWTH = 4 << 20;

/**
 * `text` with its variables replaced. Defaults are substituted themselves, and only when they are used.
 * Throws TSC_COMPOSE_TEMPLATE_INVALID or TSC_COMPOSE_VARIABLE_REQUIRED.
 */
export function substitute(text: string, lookup: Lookup, options: SubstituteOptions = {}): string {
  return expand(text, lookup, options, 0);
}

function expand(text: string, lookup: Lookup, options: SubstituteOptions, depth: number): string {
  let at = text.indexOf("$");
  if (at < 0) return text;
  if (depth > MAX_DEPTH) throw invalid(text);
  let result = "";
  let from = 0;
  while (at >= 0) {
    const reference = parseReference(text, at);
    if (reference === undefined) {
      // `$$` is an escaped dollar; any other lone dollar stands for itself
      const escaped = text[at + 1] === "$";
      result += `${text.slice(from, at)}$`;
      from = at + (escaped ? 2 : 1);
    } else {
      result += text.slice(from, at) + resolveReference(reference, lookup, options, depth);
      if (result.length > text.length + MAX_GROWTH) {
        throw new TscError("TSC_COMPOSE_VALUE_TOO_LARGE", `a value becomes longer than ${MAX_GROWTH} characters`, {
          kind: "invalid-input",
          hint: `look at what ${reference.name} is made of`,
        });
      }
      from = reference.end;
    }
    at = text.indexOf("$", from);
  }
  return result + text.slice(from);
}

function resolveReference(reference: Reference, lookup: Lookup, options: SubstituteOptions, depth: number): string {
  const { name, operator, operand } = reference;
  const value = lookup(name);
  if (operator === undefined) {
    if (value === undefined) options.onUnset?.(name);
    return value ?? "";
  }
  const present = value !== undefined && (operator.length === 1 || value !== "");
  switch (operator.at(-1)) {
    case "-":
      return present ? value : expand(operand, lookup, options, depth + 1);
    case "+":
      return present ? expand(operand, lookup, options, depth + 1) : (value ?? "") && "";
    default: {
      if (present) return value;
      const message = expand(operand, lookup, options, depth + 1);
      throw new TscError(
        "TSC_COMPOSE_VARIABLE_REQUIRED",
        `required variable ${name} is missing a value${message === "" ? "" : `: ${message}`}`,
        { kind: "invalid-input", hint: `set ${name} in the environment or in the .env file` },
      );
    }
  }
}

/** The reference at a `$`, undefined for an escaped or literal one; throws for a malformed brace form. */
function parseReference(text: string, at: number): Reference | undefined {
  const next = text.charCodeAt(at + 1);
  if (next !== 123 /* { */) {
    const end = nameEnd(text, at + 1);
    return end === at + 1 ? undefined : { name: text.slice(at + 1, end), operator: undefined, operand: "", end };
  }
  const close = closingBrace(text, at + 1);
  if (close < 0) throw invalid(text);
  const end = nameEnd(text, at + 2);
  const name = text.slice(at + 2, end);
  if (name === "") throw invalid(text);
  if (end === close) return { name, operator: undefined, operand: "", end: close + 1 };
  const length = text[end] === ":" ? 2 : 1;
  const operator = text.slice(end, end + length);
  if (!isOperator(operator)) throw invalid(text);
  const operand = text.slice(end + length, close);
  if (operand.includes("\n")) throw invalid(text);
  return { name, operator, operand, end: close + 1 };
}

function isOperator(text: string): text is Operator {
  return text === ":-" || text === "-" || text === ":+" || text === "+" || text === ":?" || text === "?";
}

/** Index of the brace that closes the one at `open`, by nesting; -1 when there is none. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 125) {
      depth--;
      if (depth === 0) return i;
    } else if (code === 123) depth++;
  }
  // unbalanced: the last brace closes (`${V:-{}` gives `{`, as the reference does)
  return text.lastIndexOf("}") > open ? text.lastIndexOf("}") : -1;
}

function nameEnd(text: string, from: number): number {
  let i = from;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const letter = (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
    if (!letter && !(i > from && c >= 48 && c <= 57)) break;
  }
  return i;
}

function invalid(text: string): TscError {
  return new TscError("TSC_COMPOSE_TEMPLATE_INVALID", `Invalid template: ${JSON.stringify(text)}`, {
    kind: "invalid-input",
    hint: "write $$ for a literal dollar sign",
  });
}

/** Every variable of a text, nested ones included, in order of appearance; `depth` counts the nesting. Throws TSC_COMPOSE_TEMPLATE_INVALID. */
export function templateVariables(text: string, depth = 0): TemplateVariable[] {
  if (depth > MAX_DEPTH) throw invalid(text);
  const found: TemplateVariable[] = [];
  let at = text.indexOf("$");
  while (at >= 0) {
    const reference = parseReference(text, at);
    if (reference === undefined) {
      at = text.indexOf("$", at + (text[at + 1] === "$" ? 2 : 1));
      continue;
    }
    const kind = reference.operator?.at(-1);
    found.push({
      name: reference.name,
      defaultValue: kind === "-" ? reference.operand : "",
      presenceValue: kind === "+" ? reference.operand : "",
      required: kind === "?",
    });
    if (reference.operand !== "") found.push(...templateVariables(reference.operand, depth + 1));
    at = text.indexOf("$", reference.end);
  }
  return found;
}
